"""Each lie about stores, labels and memories is found, by the check that is meant."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.features import CATALOGUE, Entity, EntityState
from eventlog.topics import TRANSACTIONS
from faults.audit.evidence import Evidence, ProjectionEvidence
from projections.online.port import Marker, Markers
from projections.ports import Counts
from tests.builders.evidence import READER, System, found

Lie = Callable[[Evidence], Evidence]
CARD = Entity.CARD, "c-1"


def projected(evidence: Evidence, **changes: Any) -> Evidence:
    """Another story of the read model of transactions."""
    known = evidence.read_models["transactions"]
    models = {**evidence.read_models, "transactions": replace(known, **changes)}
    return replace(evidence, read_models=models)


def a_void_as_projected(evidence: Evidence) -> Evidence:
    counts = dict(evidence.read_models["transactions"].counts or {})
    partition = next(p for p, each in counts.items() if each.void)
    held = counts[partition]
    counts[partition] = Counts(held.projected + 1, held.void - 1, held.dead)
    return projected(evidence, counts=counts)


def position(evidence: Evidence, by: int) -> Evidence:
    known = dict(evidence.read_models["transactions"].positions)
    return projected(evidence, positions=known | {2: known[2] + by})


def resealed(evidence: Evidence) -> Evidence:
    """Dead letters of the read models that were sealed over other bytes."""
    system = System()
    at = next(r.position for records in evidence.transactions for r in records if not r.key)
    system.set_aside(at, READER, b"other bytes")
    others = [r for r in evidence.dead_letters if at.topic.encode() not in r.value]
    return replace(evidence, dead_letters=[*others, *system.evidence().dead_letters])


def set_aside(evidence: Evidence) -> Evidence:
    system = System()
    at = next(r.position for records in evidence.transactions for r in records if r.key)
    system.set_aside(at, READER, b"what can be used")
    return replace(evidence, dead_letters=[*evidence.dead_letters, *system.evidence().dead_letters])


def states(evidence: Evidence, **changes: bytes | None) -> Evidence:
    """With other bytes of the state of one card, or none."""
    held: dict[tuple[Entity, str], bytes] = dict(evidence.states or {})
    for key, data in changes.items():
        held.pop((Entity.CARD, key.replace("_", "-")), None)
        if data is not None:
            held[Entity.CARD, key.replace("_", "-")] = data
    return replace(evidence, states=held)


def marked(evidence: Evidence, change: Callable[[Marker], Marker | None]) -> Evidence:
    assert evidence.markers is not None
    at = dict(evidence.markers.at)
    marker = change(at.pop(5))
    return replace(
        evidence, markers=Markers(at if marker is None else at | {5: marker}, frozenset())
    )


def moved(marker: Marker, by: int) -> Marker:
    return Marker(marker.next, {**marker.last, 2: marker.last[2] + by})


def vectors(evidence: Evidence, change: Callable[[Any], Any]) -> Evidence:
    rows = dict(evidence.vectors or {})
    row = change(rows.pop("t-7"))
    return replace(evidence, vectors=rows if row is None else rows | {"t-7": row})


def one_bit(row: Any) -> Any:
    values = np.array(row.values)
    values.view(np.int64)[int(np.flatnonzero(~np.isnan(values))[-1])] ^= 1
    return replace(row, values=values.tolist())


LIES: dict[str, tuple[Lie, str, str]] = {
    "a void counted as projected": (a_void_as_projected, "projections", "it counted"),
    "a record kept with another status": (
        lambda e: projected(e, statuses={(0, 0): "void"}),
        "projections",
        "offset 0 was taken as void, and is counts",
    ),
    "a position behind": (lambda e: position(e, -1), "projections", "is behind the log's end"),
    "a position ahead": (lambda e: position(e, 1), "projections", "is ahead of the log's end"),
    "no dead letter": (
        lambda e: replace(
            e,
            dead_letters=[],
            read_models={"transactions": e.read_models["transactions"]},
            inbox=[],
        ),
        "projections",
        "set no dead letter aside",
    ),
    "a dead letter of other bytes": (resealed, "projections", "not hold the original bytes"),
    "a dead letter of what can be used": (set_aside, "projections", "and can be used"),
    "a state that is missing": (lambda e: states(e, c_1=None), "states", "no state is stored"),
    "a state of nobody": (
        lambda e: states(e, c_99=EntityState(Entity.CARD, "c-99").to_bytes()),
        "states",
        "the log has no event of it",
    ),
    "a state that is damaged": (lambda e: states(e, c_1=b"\x01"), "states", "damaged"),
    "a marker ahead": (lambda e: marked(e, lambda m: moved(m, 1)), "states", "ahead of the log's"),
    "a marker behind": (lambda e: marked(e, lambda m: moved(m, -1)), "states", "behind the log's"),
    "a marker that is missing": (lambda e: marked(e, lambda _: None), "states", "has no marker"),
    "a shard that is never rebuilt": (
        lambda e: replace(e, markers=replace(e.markers, rebuilding=frozenset({3}))),  # type: ignore[type-var]
        "states",
        "still flagged as rebuilding",
    ),
    "a keyspace that is gone": (
        lambda e: replace(e, markers=replace(e.markers, made=False)),  # type: ignore[type-var]
        "states",
        "there is no keyspace",
    ),
    "a vector of another bit": (lambda e: vectors(e, one_bit), "vectors", "ideal"),
    "a vector that is missing": (lambda e: vectors(e, lambda _: None), "vectors", "no row"),
    "a vector of too few values": (
        lambda e: vectors(e, lambda row: replace(row, values=row.values[1:])),
        "vectors",
        f"{len(CATALOGUE) - 1} values of",
    ),
    "a vector of another known time": (
        lambda e: vectors(e, lambda row: replace(row, known=row.known + 1)),
        "vectors",
        "known at",
    ),
    "a vector of nothing": (
        lambda e: replace(e, vectors={**(e.vectors or {}), "t-900": (e.vectors or {})["t-7"]}),
        "vectors",
        "no decision or import counts",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_found_by_its_check(name: str, evidence: Evidence) -> None:
    lie, check, words = LIES[name]
    findings = found(lie(evidence))
    assert list(findings) == [check]
    assert words in findings[check][0]


def test_a_state_one_event_short_is_found() -> None:
    system = System()
    for number in (1, 6, 11):
        system.pay(number)
    short = System()
    for number in (1, 6):
        short.pay(number)
    lacking = short.states[CARD].to_bytes()
    lie = system.evidence()
    lie = replace(lie, states={**(lie.states or {}), CARD: lacking})
    assert list(found(lie)) == ["states"]
    assert "card 'c-1': stored" in found(lie)["states"][0]


def test_a_record_that_no_store_can_hold_may_be_set_aside(evidence: Evidence) -> None:
    place = next(r.position for records in evidence.transactions for r in records if r.key)
    at = place.partition, place.offset
    counts = dict(evidence.read_models["transactions"].counts or {})
    held = counts[place.partition]
    counts[place.partition] = Counts(held.projected - 1, held.void, held.dead + 1)
    lacking = projected(evidence, unfoldable=frozenset({at}), counts=counts)
    assert list(found(lacking)) == ["projections"]
    system = System()
    value = evidence.transactions[place.partition][place.offset].value
    system.set_aside(place, READER, value)
    letters = [*lacking.dead_letters, *system.evidence().dead_letters]
    assert found(replace(lacking, dead_letters=letters)) == {}


def test_a_reader_without_counts_is_asked_for_its_position(evidence: Evidence) -> None:
    reader = ProjectionEvidence(reader=READER, topic=TRANSACTIONS.name, positions={})
    findings = found(replace(evidence, read_models={"features": reader}))
    assert findings["projections"][0].startswith(f"features: {TRANSACTIONS.name}/0: its position 0")
