"""Money: currencies, amounts in integer minor units, exchange rates. No files, no floats."""

from domain.money.amounts import MAX_MINOR, to_major, to_minor
from domain.money.currencies import EXPONENTS
from domain.money.rates import Rates, approximate_rates

__all__ = ["EXPONENTS", "MAX_MINOR", "Rates", "approximate_rates", "to_major", "to_minor"]
