"""Money: currencies, amounts in integer minor units, exchange rates. No files, no floats."""

from domain.money.amounts import AS_WRITTEN, MAX_MINOR, AmountStyle, to_major, to_minor
from domain.money.currencies import EXPONENTS
from domain.money.rates import Rates, approximate_rates
from domain.money.shown import shown_amount, with_shown_amounts
from domain.money.written import AMBIGUOUS, decimal_sign, sole_currency

__all__ = [
    "AMBIGUOUS",
    "AS_WRITTEN",
    "EXPONENTS",
    "MAX_MINOR",
    "AmountStyle",
    "Rates",
    "approximate_rates",
    "decimal_sign",
    "shown_amount",
    "sole_currency",
    "to_major",
    "to_minor",
    "with_shown_amounts",
]
