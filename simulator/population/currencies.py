"""Currencies of simulated money, with invented rates."""

from dataclasses import dataclass

from domain.money import EXPONENTS


@dataclass(frozen=True, slots=True)
class Currency:
    code: str
    per_euro: float  # a fixed price level, so that a coffee costs a coffee everywhere
    note: int  # major units; what cash machines give multiples of

    @property
    def exponent(self) -> int:
        """Decimal places of the minor unit."""
        return EXPONENTS[self.code]


CURRENCIES = {
    currency.code: currency
    for currency in (
        Currency("EUR", 1.0, 10),
        Currency("GBP", 0.86, 10),
        Currency("USD", 1.08, 20),
        Currency("JPY", 162.0, 1000),
        Currency("CAD", 1.47, 20),
        Currency("AUD", 1.64, 20),
        Currency("CHF", 0.95, 10),
        Currency("SEK", 11.3, 100),
        Currency("PLN", 4.3, 50),
        Currency("BRL", 5.5, 10),
        Currency("KWD", 0.33, 5),
    )
}
