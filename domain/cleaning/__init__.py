"""Cleaning: a payload from outside becomes a transaction. Reads no clock, key or file."""

from domain.cleaning.cards import CardToken, Tokenise, redact, tokenise_text
from domain.cleaning.changes import changed_fields
from domain.cleaning.digest import content_digest
from domain.cleaning.payload import as_payload
from domain.cleaning.transaction import CANONICAL_FIELDS, clean_transaction

__all__ = [
    "CANONICAL_FIELDS",
    "CardToken",
    "Tokenise",
    "as_payload",
    "changed_fields",
    "clean_transaction",
    "content_digest",
    "redact",
    "tokenise_text",
]
