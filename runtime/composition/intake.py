"""Composition of payload cleaners, with the keys of this installation."""

from collections.abc import Callable

from commands.intake.cleaner import PayloadCleaner
from commands.intake.tokens import Tokeniser
from domain.cleaning.absent import absent_words
from domain.cleaning.cards import redact
from domain.errors import InvalidInputError
from domain.money import EXPONENTS, approximate_rates
from runtime.settings import Settings


def cleaner_of(settings: Settings, currency: str | None = None) -> PayloadCleaner:
    """`currency` is that of payloads that name none, by default that of the settings."""
    return PayloadCleaner(
        Tokeniser(settings.token_key),
        settings.digest_key,
        approximate_rates(),
        currency or settings.default_currency,
        absent_words(placeholders=settings.placeholder_ids.split(",")),
    )


def cleaner_for_file(
    settings: Settings, currency: str | None
) -> tuple[PayloadCleaner, Callable[[str], str]]:
    """The cleaner of a file's rows, and what takes card numbers out of the text of a rejected row.

    Raises InvalidInputError where there is no such currency.
    """
    code = (currency or settings.default_currency).strip().upper()
    if code not in EXPONENTS:
        raise InvalidInputError("--default-currency", "expected an ISO 4217 code such as EUR")
    tokenise = Tokeniser(settings.token_key)
    return cleaner_of(settings, code), lambda text: redact(text, tokenise)
