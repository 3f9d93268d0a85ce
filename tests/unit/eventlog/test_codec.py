"""Codec: events are read as they were written, in every version."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from domain.errors import UndecodableError
from domain.events import Envelope, Event, TransactionImported, TransactionScored, registry
from domain.events.registry import event, registered, upcaster
from domain.transactions import Transaction
from eventlog.codec import (
    Carried,
    CarriedRest,
    _is_current,
    carried_by,
    carried_of,
    carried_rest_by,
    decode,
    encode,
    glance,
)
from tests.fakes.events import labelled, scored, submitted
from tests.fakes.strategies import envelopes

HISTORIES = Path(__file__).parents[2] / "histories"


def rest_of(found: Carried | CarriedRest) -> list[Any]:
    """What both say of the event."""
    x, explored = found.transaction, found.exploration
    attributes = x.attributes if isinstance(x, Transaction) else json.loads(bytes(x.attributes))
    fields = (x.amount, x.currency, x.card_bin, x.card_last4, x.mcc, x.lat, x.lon)
    share = None if explored is None else explored.share
    return [*fields, attributes, share, found.policy_version]


@given(envelopes())
def test_every_event_comes_back_as_it_went_in(envelope: Envelope) -> None:
    assert decode(encode(envelope)) == envelope
    if isinstance(envelope.data, TransactionImported | TransactionScored):
        whole = carried_by(encode(envelope))
        assert whole == carried_of(envelope)
        assert rest_of(carried_rest_by(encode(envelope))) == rest_of(whole)


@given(envelopes())
def test_equal_events_have_equal_bytes(envelope: Envelope) -> None:
    assert encode(decode(encode(envelope))) == encode(envelope)


def test_an_older_version_carries_its_transaction_as_its_steps_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both versions have the fields of one, and mean another amount by them."""
    monkeypatch.setattr(registry, "_CURRENT", {})
    monkeypatch.setattr(registry, "_UPCASTERS", {})
    _is_current.cache_clear()

    @event("fraud.test.carried", version=2)
    @dataclass(frozen=True)
    class Told(Event):
        transaction: Transaction

    @upcaster("fraud.test.carried", 1)
    def _upcast_v1_v2(data: dict[str, Any]) -> dict[str, Any]:
        return {"transaction": data["transaction"] | {"amount": data["transaction"]["amount"] * 2}}

    paid = {"transaction_id": "t", "timestamp": 1, "amount": 7, "currency": "EUR", "base_amount": 7}
    for version, amount in ((1, 14), (2, 7)):
        wire = changed(type=f"fraud.test.carried.v{version}", data={"transaction": paid})
        assert carried_by(wire).transaction.amount == decode(wire).data.transaction.amount == amount
        assert rest_of(carried_rest_by(wire)) == rest_of(carried_by(wire))
    assert Told.VERSION == 2
    _is_current.cache_clear()


@given(envelopes())
def test_a_glance_has_type_and_subject(envelope: Envelope) -> None:
    seen = glance(encode(envelope))
    assert (f"{seen.name}.v{seen.version}", seen.subject) == (envelope.type, envelope.subject)


def test_a_record_is_a_cloudevent() -> None:
    record = json.loads(encode(scored("t-1")))
    assert record["specversion"] == "1.0"
    assert record["type"] == "fraud.transaction.scored.v1"
    assert record["dataschema"] == "urn:retrace:schema:fraud.transaction.scored.v1"
    assert record["time"] == "2023-11-14T22:13:20Z"
    assert all(name == name.lower() and name.isalnum() for name in record)
    assert None not in record.values()


def test_unknown_fields_are_ignored() -> None:
    record = json.loads(encode(submitted("t-1")))
    record["traceparent"] = "00-1"
    record["data"]["added_later"] = {"a": 1}
    record["data"]["transaction"]["added_later"] = 2
    assert decode(json.dumps(record).encode()) == submitted("t-1")


def changed(**changes: Any) -> bytes:
    record = json.loads(encode(labelled("t-1"))) | changes
    return json.dumps({name: value for name, value in record.items() if value != "gone"}).encode()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"transaction_id": "t"}',
        changed(type="fraud.transaction.labelled"),
        changed(type="fraud.never.heard.v1"),
        changed(type="fraud.transaction.labelled.v99"),
        changed(type="fraud.transaction.labelled.v0"),
        changed(time="yesterday"),
        changed(knowntime="gone"),
        changed(data="gone"),
        changed(data={"transaction_id": 7}),
    ],
)
def test_bytes_that_are_no_event_of_ours_are_undecodable(value: bytes) -> None:
    with pytest.raises(UndecodableError):
        decode(value)


def test_older_versions_are_read_through_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_CURRENT", {})
    monkeypatch.setattr(registry, "_UPCASTERS", {})

    @event("fraud.test.happened", version=2)
    @dataclass(frozen=True)
    class Happened(Event):
        amount: int
        currency: str

    @upcaster("fraud.test.happened", 0)
    def _upcast_v0_v1(data: dict[str, Any]) -> dict[str, Any]:
        return {"amount": data["euros"] * 100}

    @upcaster("fraud.test.happened", 1)
    def _upcast_v1_v2(data: dict[str, Any]) -> dict[str, Any]:
        return data | {"currency": "EUR"}

    for version, data in ((0, {"euros": 7}), (1, {"amount": 700})):
        old = changed(type=f"fraud.test.happened.v{version}", data=data)
        assert decode(old).data == Happened(700, "EUR")


def test_what_version_1_recorded_is_read_for_ever() -> None:
    lines = (HISTORIES / "v1-events.ndjson").read_bytes().splitlines()
    names = {decode(line).data.NAME for line in lines}
    assert names >= {glance(line).name for line in lines}
    recorded = {json.loads(line)["type"] for line in lines}
    assert recorded >= {f"{name}.v1" for name, cls in registered().items() if cls.VERSION == 1}


def test_the_broken_history_is_seen_to_be_broken() -> None:
    lines = (HISTORIES / "v1-events-broken.ndjson").read_bytes().splitlines()
    assert lines
    for line in lines:
        with pytest.raises(UndecodableError):
            decode(line)
