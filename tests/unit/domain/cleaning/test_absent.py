"""Values that stand for nothing: words for a missing value, placeholder ids, the place (0, 0)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cleaning.absent import MISSING, PLACEHOLDERS, absent_words, dropped_flags
from domain.errors import InvalidTransactionError
from tests.unit.domain.cleaning.payloads import MINIMAL, cleaned

IDS = ("card_id", "customer_id", "merchant_id", "device_id")
TEXTS = (*IDS, "mcc", "ip", "country", "channel")


@pytest.mark.parametrize("word", [*MISSING, "NULL", "None", "N/A", "NaN", " -1 ", -1])
def test_a_word_for_a_missing_value_is_none(word: Any) -> None:
    found = cleaned({**MINIMAL, **dict.fromkeys(TEXTS, word)})
    assert [getattr(found, name) for name in TEXTS] == [None] * len(TEXTS)
    assert found.attributes == {}
    with pytest.raises(InvalidTransactionError, match="transaction_id: is required"):
        cleaned({**MINIMAL, "transaction_id": word})


def test_namibia_is_a_country() -> None:
    assert cleaned({**MINIMAL, "country": "NA"}).country == "NA"


@pytest.mark.parametrize(
    "word",
    [
        *PLACEHOLDERS, "UNKNOWN", "Test", "00000000-0000-0000-0000-000000000000",
        "00:00:00:00:00:00", "0" * 15,
    ],
)  # fmt: skip
def test_o31_a_placeholder_id_stands_for_nobody_and_is_kept_and_told(word: str) -> None:
    found = cleaned({**MINIMAL, **dict.fromkeys(IDS, word), "note": "n"})
    assert [getattr(found, name) for name in IDS] == [None] * 4
    assert found.attributes == {"note": "n", "_dropped": dict.fromkeys(IDS, word)}
    assert dropped_flags(found.attributes) == [
        "placeholder_card", "placeholder_customer", "placeholder_merchant", "placeholder_device",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["0", "00", "0/0", "0-1", "tester", "000001"])
def test_an_id_that_only_looks_like_a_placeholder_stays(word: str) -> None:
    assert cleaned({**MINIMAL, "customer_id": word}).customer_id == word


def test_both_lists_can_be_changed() -> None:
    own = absent_words(missing=["void"], placeholders=["Nobody"])
    payload = {**MINIMAL, "card_id": "-1", "device_id": "unknown", "merchant_id": "0" * 8}
    found = cleaned({**payload, "customer_id": "NOBODY", "mcc": "VOID"}, words=own)
    assert (found.card_id, found.device_id, found.merchant_id) == ("-1", "unknown", "0" * 8)
    assert (found.customer_id, found.mcc) == (None, None)


@pytest.mark.parametrize("zero", [0, 0.0, -0.0, "0", "0.000", Decimal(0)])
def test_zero_zero_is_no_position(zero: Any) -> None:
    found = cleaned({**MINIMAL, "lat": zero, "lon": zero})
    assert (found.lat, found.lon) == (None, None)
    assert dropped_flags(found.attributes) == ["no_position"]
    equator = cleaned({**MINIMAL, "lat": 0, "lon": 6.5})
    assert (equator.lat, equator.lon) == (0.0, 6.5)


def test_attributes_of_the_sender_give_no_flags() -> None:
    for attributes in ({}, {"_dropped": "x"}, {"_dropped": {"other": 1}}):
        assert dropped_flags(attributes) == []


@given(st.integers(-(2**53) + 1, 2**53 - 1).filter(lambda number: number != -1))
def test_an_integer_that_came_as_a_float_is_the_integer(number: int) -> None:
    expected = cleaned({**MINIMAL, "transaction_id": number}).transaction_id
    for written in (float(number), Decimal(f"{number}.0"), f"{number}.0", f"{number}.00"):
        assert cleaned({**MINIMAL, "transaction_id": written}).transaction_id == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2.0**53, "beyond 2\\^53"), ("9007199254740993.0", "beyond 2\\^53"),
        (Decimal("9007199254740993.0"), "beyond 2\\^53"), (1.5, "expected text, or an integer"),
        (float("inf"), "expected text"), ("4.11111E+15", "damaged by a spreadsheet"),
        ("4,1e+15", "damaged"), ("4.11111E15", "damaged"), ("4,1e15", "damaged"),
        (Decimal("4.11111E+15"), "damaged"),
    ],
)  # fmt: skip
def test_an_id_that_lost_digits_is_refused(value: Any, said: str) -> None:
    with pytest.raises(InvalidTransactionError, match=f"customer_id: .*{said}"):
        cleaned({**MINIMAL, "customer_id": value})


@pytest.mark.parametrize("value", ["1.5", "12E34", "1e5", "v1.0", "a+b", "+4912345", "1.2.0"])
def test_other_texts_with_points_and_signs_are_ids(value: str) -> None:
    assert cleaned({**MINIMAL, "customer_id": value}).customer_id == value


def test_a_merchant_category_may_come_without_its_zero() -> None:
    for value in (742.0, "742.0", Decimal("742.0"), 742, "742"):
        assert cleaned({**MINIMAL, "mcc": value}).mcc == "0742"


@pytest.mark.parametrize("value", [-1, -1.0, "-1", "-1.0", " NULL ", "nan"])
def test_missing_is_the_same_word_in_every_type(value: Any) -> None:
    given = {**MINIMAL, "mcc": value, "country": str(value), "merchant_id": value}
    assert cleaned(given) == cleaned(MINIMAL)


@pytest.mark.parametrize("value", [638400000000000000, 45443.5, "45443", 133500000000000000])
def test_a_number_that_is_no_time_of_this_century_is_refused(value: Any) -> None:
    with pytest.raises(InvalidTransactionError, match="timestamp"):
        cleaned({**MINIMAL, "timestamp": value})


def test_quotes_around_an_id_are_no_part_of_it() -> None:
    for value in ("'C101'", '"C101"', " 'C101' "):
        assert cleaned({**MINIMAL, "customer_id": value}).customer_id == "C101"
    assert cleaned({**MINIMAL, "customer_id": "''"}).customer_id is None
    assert cleaned({**MINIMAL, "customer_id": "O'Neil'"}).customer_id == "O'Neil'"


def test_a_key_that_attributes_name_twice_is_refused_by_name() -> None:
    with pytest.raises(InvalidTransactionError, match="attributes: names the key 'a' twice"):
        cleaned({**MINIMAL, "attributes": '{"b": {"a": 1, "a": 2}}'})
