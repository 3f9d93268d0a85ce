"""Exchange rates by day: which one applies, and how it rounds."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInputError
from domain.money import EXPONENTS, MAX_MINOR, Rates, approximate_rates
from domain.times import from_rfc3339

EARLY, LATE = from_rfc3339("2024-01-01T00:00:00Z"), from_rfc3339("2024-01-02T23:59:59Z")


def test_the_last_rate_on_or_before_the_day_holds() -> None:
    rates = Rates(
        "USD", [(date(2024, 1, 2), "EUR", Decimal(2)), (date(2023, 12, 30), "EUR", Decimal(1))]
    )
    assert rates.to_base(100, "EUR", EARLY) == 100
    assert rates.to_base(100, "EUR", LATE) == 200


def test_before_the_first_rate_and_without_any_the_currency_is_named() -> None:
    rates = Rates("USD", [(date(2024, 1, 2), "EUR", Decimal(2))])
    for currency in ("EUR", "GBP"):
        with pytest.raises(InvalidInputError) as caught:
            rates.to_base(1, currency, EARLY)
        assert caught.value.field == "currency"


@given(
    st.integers(0, MAX_MINOR),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.decimals("0.000001", "1000", places=6),
)
def test_conversion_is_exact_and_halves_go_to_even(amount: int, code: str, rate: Decimal) -> None:
    rates = Rates("USD", [(date(2024, 1, 1), code, rate)])
    exact = Fraction(amount) * Fraction(rate) * 100 / 10 ** EXPONENTS[code]
    assert rates.to_base(amount, code, EARLY) == round(exact)


def test_every_currency_has_an_approximate_rate_from_1990_on() -> None:
    rates = approximate_rates()
    for currency in EXPONENTS:
        assert rates.to_base(10**12, currency, from_rfc3339("1990-01-01T00:00:00Z")) > 0


def test_own_rates_come_from_csv_and_fall_back_on_approximate_ones() -> None:
    rates = Rates.from_csv(
        ["day,currency,rate", "2024-01-01, eur ,1.5"], "USD", approximate_rates()
    )
    assert rates.to_base(100, "EUR", EARLY) == 150
    assert rates.to_base(100, "GBP", EARLY) > 100


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        (["day,currency", "2024-01-01,EUR"], "rates"),
        (["day,currency,rate", "yesterday,EUR,1"], "day"),
        (["day,currency,rate", "2024-01-01,EURO,1"], "currency"),
        (["day,currency,rate", "2024-01-01,EUR,one"], "rate"),
        (["day,currency,rate", "2024-01-01,EUR,0"], "rate"),
        (["day,currency,rate", "2024-01-01,EUR,NaN"], "rate"),
        (["day,currency,rate", "2024-01-01,EUR"], "rate"),
    ],
)
def test_a_bad_table_of_rates_names_what_is_wrong(lines: list[str], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Rates.from_csv(lines, "USD")
    assert caught.value.field == field
