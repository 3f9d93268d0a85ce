"""Owns making the edge that cleans foreign input, with the installation's keys; cleans nothing."""

from __future__ import annotations

from collections.abc import Callable

from commands.intake.cleaner import Edge
from commands.intake.tokens import Tokeniser
from domain.cleaning import redact
from domain.errors import InvalidInputError
from domain.money import EXPONENTS, approximate_rates
from runtime.settings import Settings


def edge_for_file(settings: Settings, currency: str | None) -> tuple[Edge, Callable[[str], str]]:
    """What cleans rows, and what takes card numbers out of the text of a row that is not taken.

    `currency` is that of rows that name none, by default that of the settings. Raises
    InvalidInputError where there is no such currency.
    """
    code = (currency or settings.default_currency).strip().upper()
    if code not in EXPONENTS:
        raise InvalidInputError("--default-currency", "expected an ISO 4217 code such as EUR")
    tokenise = Tokeniser(settings.token_key)
    edge = Edge(tokenise, settings.digest_key, approximate_rates(), code)
    return edge, lambda text: redact(text, tokenise)
