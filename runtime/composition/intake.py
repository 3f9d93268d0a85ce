"""Composition of the payload cleaner, with the installation's keys."""

from __future__ import annotations

from collections.abc import Callable

from commands.intake.cleaner import Edge
from commands.intake.tokens import Tokeniser
from domain.cleaning import redact
from domain.errors import InvalidInputError
from domain.money import EXPONENTS, approximate_rates
from runtime.settings import Settings


def edge_of(settings: Settings) -> Edge:
    return _edge(settings, Tokeniser(settings.token_key), settings.default_currency)


def edge_for_file(settings: Settings, currency: str | None) -> tuple[Edge, Callable[[str], str]]:
    """What cleans rows, and what takes card numbers out of the text of a row that is not taken.

    `currency` is that of rows that name none, by default that of the settings. Raises
    InvalidInputError where there is no such currency.
    """
    code = (currency or settings.default_currency).strip().upper()
    if code not in EXPONENTS:
        raise InvalidInputError("--default-currency", "expected an ISO 4217 code such as EUR")
    tokenise = Tokeniser(settings.token_key)
    return _edge(settings, tokenise, code), lambda text: redact(text, tokenise)


def _edge(settings: Settings, tokenise: Tokeniser, currency: str) -> Edge:
    return Edge(tokenise, settings.digest_key, approximate_rates(), currency)
