"""A payload has one meaning: fields are cleaned, and every bad one is named."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.cleaning.changes import changed_fields
from domain.cleaning.digest import content_digest
from domain.cleaning.payload import as_payload
from domain.cleaning.transaction import CANONICAL_FIELDS
from domain.errors import InvalidTransactionError
from domain.times import MINUTE, from_rfc3339
from domain.transactions import Transaction
from tests.unit.domain.cleaning.payloads import CARD, MINIMAL, NOW, TOKENISE, cleaned, json_values

KEY = b"a key of digests"
MOMENT = from_rfc3339("2024-05-31T10:00:00Z")


def errors_of(payload: Any) -> dict[str, str]:
    with pytest.raises(InvalidTransactionError) as caught:
        cleaned(payload)
    return {error.field: error.message for error in caught.value.errors}


def test_the_minimal_payload_is_a_transaction() -> None:
    assert cleaned(MINIMAL) == Transaction(
        transaction_id="t1", timestamp=MOMENT, amount=1250, currency="USD", base_amount=1250
    )


def test_every_field_is_brought_to_one_form() -> None:
    found = cleaned(
        {
            **MINIMAL, "transaction_id": 12345, "currency": " eur ",
            "card_id": "4111 1111-1111 1111", "customer_id": " c ",
            "merchant_id": 7, "mcc": 742, "device_id": "", "country": "deu",
            "ip": "::ffff:10.0.0.1", "lat": "1.5", "lon": -0.0, "channel": "Card-Present",
            "basket": 3, "attributes": {"note": "x"},
        }
    )  # fmt: skip
    token = TOKENISE(CARD)
    assert found == Transaction(
        transaction_id="12345", timestamp=MOMENT, amount=1250, currency="EUR",
        base_amount=found.base_amount, card_id=token.token, card_bin="411111", card_last4="1111",
        customer_id="c", merchant_id="7", mcc="0742", country="DE", ip="10.0.0.1", lat=1.5, lon=0.0,
        channel="pos", attributes={"note": "x", "basket": 3},
    )  # fmt: skip
    assert found.base_amount == 1362


@pytest.mark.parametrize(
    "written",
    [
        "2024-05-31T10:00:00Z", "2024-05-31 10:00:00", " 2024-05-31T12:00:00+02:00 ",
        "2024-05-31T10:00:00.000000000z", "2024-05-31 12:00:00 +0200", "2024-05-31 10:00:00 UTC",
        "2024-05-31T10:00", 1717149600, 1717149600.0, 1717149600000, "1717149600",
        1717149600000000, 1717149600000000000, Decimal("1717149600.000"),
        datetime(2024, 5, 31, 10),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_a_moment_is_the_same_however_it_is_written(written: object) -> None:
    assert cleaned({**MINIMAL, "timestamp": written}).timestamp == MOMENT


@pytest.mark.parametrize(
    "written",
    [
        "2024-05-31", "31/05/2024 10:00:00", "10:00:00", "yesterday", "2024-02-30T10:00:00Z", 0,
        12345, -1, 20240531100000, True, [], {}, float("nan"), float("inf"), "1969-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-06-01T12:05:01Z", "",
        Decimal("NaN"), Decimal("sNaN"), Decimal("1.71715E+12"), "1.71715E+12", 1717149600e9,
        "1717149600000000000.0",
    ],
)  # fmt: skip
def test_an_impossible_moment_is_refused(written: object) -> None:
    assert set(errors_of({**MINIMAL, "timestamp": written})) == {"timestamp"}


def test_clocks_may_run_ahead_by_five_minutes() -> None:
    ahead = {**MINIMAL, "timestamp": "2024-06-01T12:05:00Z"}
    assert cleaned(ahead).timestamp == NOW + 5 * MINUTE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transaction_id", ""), ("transaction_id", "x" * 201), ("transaction_id", "a\nb"),
        ("transaction_id", 1.5), ("transaction_id", True), ("transaction_id", 10**300),
        ("amount", "abc"), ("amount", -1), ("amount", ""), ("currency", "EURO"), ("currency", 978),
        ("card_id", ["x"]), ("customer_id", "\x00"), ("merchant_id", "\ud800"), ("mcc", "5x"),
        ("mcc", 54110), ("mcc", "\u0661\u0661\u0661\u0661"), ("device_id", {}),
        ("ip", "10.0.0.256"), ("ip", 167772161), ("ip", "fe80::1%eth0"),
        ("country", "XX"), ("country", "Germany"),
        ("lat", 90.1), ("lat", "north"), ("lon", -181), ("lon", 10**400), ("lat", float("nan")),
        ("channel", "pigeon"), ("attributes", [1]), ("attributes", "{"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_under_the_name_of_its_field(field: str, value: object) -> None:
    both = {**MINIMAL, "lat": 1.0, "lon": 1.0}
    found = errors_of({**both, field: value})
    assert set(found) == {field}
    assert not isinstance(value, str) or len(value) < 10 or value not in found[field]


def test_every_bad_field_is_named_at_once_in_the_canonical_order() -> None:
    bad = {name: [object()] for name in CANONICAL_FIELDS}
    found = errors_of(bad)
    assert list(found) == list(CANONICAL_FIELDS)


def test_missing_required_fields_are_named() -> None:
    assert errors_of({}) == dict.fromkeys(("transaction_id", "timestamp", "amount"), "is required")


def test_one_coordinate_asks_for_the_other() -> None:
    assert set(errors_of({**MINIMAL, "lat": 1.0})) == {"lon"}


@given(json_values)
def test_anything_that_is_no_object_is_refused_as_a_body(value: object) -> None:
    if not isinstance(value, dict):
        assert set(errors_of(value)) == {"body"}


def cleaned_or_errors(payload: Any) -> Transaction | InvalidTransactionError:
    try:
        return cleaned(payload)
    except InvalidTransactionError as error:
        return error


payloads = st.dictionaries(
    st.sampled_from([*CANONICAL_FIELDS, "other", "extra"]), json_values, max_size=8
)


@settings(max_examples=400)
@given(payloads, st.booleans())
def test_any_json_is_cleaned_or_its_bad_fields_named(payload: dict[str, Any], valid: bool) -> None:
    payload = {**payload, **MINIMAL} if valid else payload
    found = cleaned_or_errors(payload)
    if isinstance(found, InvalidTransactionError):
        assert {each.field for each in found.errors} <= set(CANONICAL_FIELDS)
        assert all(each.message for each in found.errors)
        return
    assert cleaned(payload) == found
    # A token tells neither BIN nor last four; all else comes back.
    again = cleaned(as_payload(found))
    assert cleaned(as_payload(again)) == again
    assert content_digest(again, KEY) == content_digest(found, KEY)


def test_the_digest_differs_by_every_field_and_by_the_key() -> None:
    full = {
        **MINIMAL, "currency": "EUR", "card_id": "k", "customer_id": "c", "merchant_id": "m",
        "mcc": "5411", "device_id": "d", "ip": "10.0.0.1", "country": "DE", "lat": 1.0, "lon": 2.0,
        "channel": "pos", "attributes": {"a": 1},
    }  # fmt: skip
    others = {
        "transaction_id": "t2", "timestamp": "2024-05-31T10:00:01Z", "amount": 13,
        "currency": "USD", "card_id": "x", "customer_id": "x", "merchant_id": "x", "mcc": "5412",
        "device_id": "x", "ip": "10.0.0.2", "country": "FR", "lat": 1.5, "lon": 2.5,
        "channel": "ecom",
        "attributes": {"a": 2}, "more": True,
    }  # fmt: skip
    seen = {content_digest(cleaned({**full, name: value}), KEY) for name, value in others.items()}
    seen.add(content_digest(cleaned(full), KEY))
    seen.add(content_digest(cleaned(full), b"another key"))
    seen.add(content_digest(cleaned(MINIMAL), KEY))
    assert len(seen) == len(others) + 3
    assert {len(digest) for digest in seen} == {32}


def test_an_absent_id_and_one_that_reads_none_have_different_digests() -> None:
    named = replace(cleaned(MINIMAL), card_id="None")
    assert content_digest(named, KEY) != content_digest(cleaned(MINIMAL), KEY)


def test_only_text_that_was_normalised_counts_as_cleaned() -> None:
    plain = {**MINIMAL, "transaction_id": 5, "timestamp": "2024-05-31 10:00:00", "mcc": 742}
    assert changed_fields(plain, cleaned(plain)) == []
    dirty = {
        **MINIMAL, "timestamp": "2024-05-31T12:00:00+02:00", "currency": "eur", "amount": " 1 ",
        "country": "DEU",
    }  # fmt: skip
    found = changed_fields(dirty, cleaned(dirty))
    assert sorted(found) == ["amount", "country", "currency", "timestamp"]
