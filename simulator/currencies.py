"""Owns the currencies that simulated money is in; real exchange rates are not here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Currency:
    code: str
    exponent: int  # decimal places of the minor unit, ISO 4217
    per_euro: float  # a fixed price level, so that a coffee costs a coffee everywhere
    note: int  # major units; what cash machines give multiples of


CURRENCIES = {
    currency.code: currency
    for currency in (
        Currency("EUR", 2, 1.0, 10),
        Currency("GBP", 2, 0.86, 10),
        Currency("USD", 2, 1.08, 20),
        Currency("JPY", 0, 162.0, 1000),
        Currency("CAD", 2, 1.47, 20),
        Currency("AUD", 2, 1.64, 20),
        Currency("CHF", 2, 0.95, 10),
        Currency("SEK", 2, 11.3, 100),
        Currency("PLN", 2, 4.3, 50),
        Currency("BRL", 2, 5.5, 10),
        Currency("KWD", 3, 0.33, 5),
    )
}
