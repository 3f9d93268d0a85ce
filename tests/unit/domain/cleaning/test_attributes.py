"""Attributes are JSON values within limits; codes of countries and the like are official ones."""

from decimal import Decimal
from typing import Any

import pytest

from domain.cleaning.countries import ALPHA3, OFFICIAL
from domain.errors import InvalidTransactionError
from tests.unit.domain.cleaning.payloads import MINIMAL, cleaned


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_unknown_fields_join_the_attributes() -> None:
    found = cleaned({**MINIMAL, "a": 1, "attributes": {"b": [True, None, 1.5]}})
    assert found.attributes == {"a": 1, "b": [True, None, 1.5]}


def test_a_member_without_a_value_is_absent() -> None:
    given = {"x": None, "y": "", "attributes": {"b": [{"p": None, "q": ""}], "c": None}}
    assert cleaned({**MINIMAL, **given}).attributes == {"b": [{"q": ""}]}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (2.0, 2), (-0.0, 0), (90001.0, 90001), (1.5, 1.5), (Decimal("1.50"), 1.5), (1e20, 1e20),
        (Decimal("4E+3"), 4000), (2.0**53, 2.0**53), (2**53 + 1, 2**53 + 1), (True, True),
    ],
)  # fmt: skip
def test_a_number_has_one_type_whoever_wrote_it(given: object, kept: object) -> None:
    found = cleaned({**MINIMAL, "attributes": {"a": given}}).attributes["a"]
    assert (found, type(found)) == (kept, type(kept))


def test_files_hold_the_object_as_text() -> None:
    assert cleaned({**MINIMAL, "attributes": '{"a": 1}'}).attributes == {"a": 1}


@pytest.mark.parametrize(
    "attributes",
    [
        {"a": float("nan")}, {"a": nested(20)}, {"a": nested(100_000)}, {"a": 10**300},
        {"a": "x" * 20_000}, {"a": object()}, {1: 2},
    ],
)  # fmt: skip
def test_attributes_that_cannot_be_stored_are_refused(attributes: dict[Any, Any]) -> None:
    with pytest.raises(InvalidTransactionError) as caught:
        cleaned({**MINIMAL, "attributes": attributes})
    assert [error.field for error in caught.value.errors] == ["attributes"]


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(InvalidTransactionError, match="given beside it"):
        cleaned({**MINIMAL, "a": 1, "attributes": {"a": 2}})


def test_characters_that_stores_refuse_are_replaced() -> None:
    found = cleaned({**MINIMAL, "a\0": "x\0y\ud800"})
    assert found.attributes == {"a\ufffd": "x\ufffdy\ufffd"}


def test_numbers_beyond_64_bits_are_kept_as_text() -> None:
    assert cleaned({**MINIMAL, "a": 2**70}).attributes == {"a": str(2**70)}


def test_the_table_of_countries_is_whole() -> None:
    assert len(OFFICIAL) == 249
    assert set(ALPHA3.values()) - {"XK"} == OFFICIAL
