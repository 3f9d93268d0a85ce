"""Composition of payload cleaners, and the secret keys that they and dead letters are given."""

from collections.abc import Callable

from commands.intake.cleaner import PayloadCleaner
from commands.intake.tokens import Tokeniser
from commands.policy.keys import SecretKey
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


def keys_of(settings: Settings) -> list[SecretKey]:
    given = {
        "token": (settings.token_key, "RETRACE_TOKEN_KEY"),
        "digest": (settings.digest_key, "RETRACE_DIGEST_KEY"),
        "dead-letter": (settings.dead_letter_key, "RETRACE_DEAD_LETTER_KEY"),
    }
    folder = settings.state_dir / "secrets"
    return [
        SecretKey(name, key, setting, str(folder / f"{name}.key"))
        for name, (key, setting) in given.items()
    ]
