"""Amounts as written become integer minor units, exactly or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInputError
from domain.money import EXPONENTS, MAX_MINOR, shown_amount, to_major, to_minor, with_shown_amounts

currencies = st.sampled_from(sorted(EXPONENTS))
minors = st.integers(0, MAX_MINOR)


@given(minors, currencies)
def test_every_amount_survives_the_way_to_major_units_and_back(minor: int, code: str) -> None:
    major = to_major(minor, code)
    assert to_minor(major, code) == minor
    assert to_minor(str(major), code) == minor
    assert to_minor(format(major, "f"), code) == minor


@given(minors, currencies)
def test_the_double_nearest_to_an_amount_gives_exactly_that_amount(minor: int, code: str) -> None:
    assert to_minor(float(to_major(minor, code)), code) == minor


@given(st.floats(-1e11, 1e11) | st.integers(-(10**6), 10**6).map(lambda n: n / 10**8), currencies)
def test_a_number_is_taken_or_refused_alike_however_it_is_held(value: float, code: str) -> None:
    assert taken(Decimal(repr(value)), code) == taken(value, code)


def taken(value: object, code: str) -> int | None:
    try:
        return to_minor(value, code)
    except InvalidInputError:
        return None


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_the_rounding_error_of_added_doubles_is_no_part_of_the_amount(cents: list[int]) -> None:
    assert to_minor(sum(cent / 100 for cent in cents), "USD") == sum(cents)


@given(st.integers(0, 10**6), st.sampled_from(sorted(EXPONENTS)))
def test_a_whole_number_is_in_major_units(units: int, code: str) -> None:
    assert to_minor(units, code) == units * 10 ** EXPONENTS[code]


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        (" 12.50 ", 1250), ("+5", 500), ("-0", 0), (".5", 50), ("12.", 1200), ("1e2", 10_000),
        ("1,234.56", 123456), ("1.234,56", 123456), ("1,234,567", 123456700), ("12,5", 1250),
        ("57.160000000000004", 5716),
    ],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(text: str, minor: int) -> None:
    assert to_minor(text, "EUR") == minor


@pytest.mark.parametrize(
    "value",
    [
        "1,234", "12.345", 12.345, Decimal("0.001"), -0.01, "-1", "NaN", "inf", float("nan"),
        float("inf"), float("-inf"), Decimal("NaN"), "1e400000", "1e999999999", 10**11, 1e300,
        Decimal("1e999999"), True, None, [], {}, "", "12 50", "\u0661", "0x10", "1_000", "9" * 65,
    ],
)  # fmt: skip
def test_an_impossible_amount_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidInputError) as caught:
        to_minor(value, "EUR")
    assert caught.value.field == "amount"


def test_the_largest_amount_is_allowed_and_one_more_is_not() -> None:
    assert to_minor("10000000000.00", "EUR") == MAX_MINOR
    with pytest.raises(InvalidInputError, match="10\\^12"):
        to_minor("10000000000.01", "EUR")


def test_a_currency_without_decimals_takes_none() -> None:
    assert to_minor(1500.0, "JPY") == 1500
    with pytest.raises(InvalidInputError, match="JPY has \\(0\\)"):
        to_minor("1500.5", "JPY")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (10_000, "USD", "100.00"), (5, "EUR", "0.05"), (0, "EUR", "0.00"), (500, "JPY", "500"),
        (92_000, "KWD", "92.000"), (MAX_MINOR, "CLF", "100000000.0000"),
    ],
)  # fmt: skip
def test_an_answer_has_the_unit_of_the_request(minor: int, currency: str, text: str) -> None:
    assert shown_amount(minor, currency) == {"amount": text, "amount_minor": minor}


@given(minors, currencies)
def test_what_an_answer_shows_can_be_sent_again(minor: int, code: str) -> None:
    facts = {"amount": minor, "currency": code, "base_amount": 7, "card_id": None}
    shown = with_shown_amounts(facts)
    assert to_minor(shown["amount"], shown["currency"]) == shown["amount_minor"] == minor
    assert shown["base_amount_minor"] == 7
    assert set(shown) == {*facts, "amount_minor", "base_amount_minor"} - {"base_amount"}


def test_an_amount_in_an_unknown_currency_has_no_major_units() -> None:
    shown = with_shown_amounts({"amount": 5, "currency": "???"})
    assert shown == {"amount_minor": 5, "currency": "???"}
