"""States: each stored state is the fold of the log's events, and the markers say so, no more."""

from collections.abc import Iterator, Mapping

import numpy as np

from domain.errors import IntegrityError
from domain.features import Entity, FeatureSet
from domain.features.engine import fold_states
from domain.features.state import version_of
from eventlog.events_table import EventTable
from eventlog.topics import ENTITIES
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Reading

CHECK = "states"
Key = tuple[Entity, str]


def check_states(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    if evidence.states is not None:
        expected = folded(reading.events, evidence.features)
        yield from _differences(evidence.states, expected)
    if evidence.markers is not None:
        yield from _markers(evidence, reading)


def folded(events: EventTable, features: FeatureSet) -> dict[Key, bytes]:
    """The state of every entity that the events name."""
    states: dict[Key, bytes] = {}
    for entity in features.entities:
        codes = events.codes[entity]
        held = np.flatnonzero(codes >= 0)
        keys = events.keys[entity]
        empty: list[bytes | None] = [None] * len(keys)
        made = fold_states(features, entity, empty, codes[held], events.rows[held])
        states.update(((entity, key), data) for key, data in zip(keys, made, strict=True))
    return states


def _differences(stored: Mapping[Key, bytes], expected: Mapping[Key, bytes]) -> Iterator[Finding]:
    for key, data in expected.items():
        held = stored.get(key)
        if held is None:
            yield Finding(CHECK, f"{_named(key)}: no state is stored; the log's is {_told(data)}")
        elif held != data:
            yield Finding(CHECK, f"{_named(key)}: stored {_told(held)}; the log's {_told(data)}")
    for key in sorted(stored.keys() - expected.keys()):
        yield Finding(CHECK, f"{_named(key)}: a state is stored; the log has no event of it")


def _named(key: Key) -> str:
    return f"{key[0].value} {key[1]!r}"


def _told(data: bytes) -> str:
    try:
        return f"{len(data)} bytes up to {version_of(data)}"
    except IntegrityError:
        return f"{len(data)} bytes, damaged"


def _markers(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    markers = evidence.markers
    assert markers is not None
    if not any(reading.ends):
        return
    if not markers.made:
        yield Finding(CHECK, "there is no keyspace")
    for shard in range(ENTITIES.partitions):
        marker = markers.at.get(shard)
        if marker is None:
            yield Finding(CHECK, f"shard {shard} has no marker")
            continue
        if shard in markers.rebuilding:
            yield Finding(CHECK, f"shard {shard} is still flagged as rebuilding")
        for source, end in enumerate(reading.ends):
            covered = marker.covers(source)
            if covered != end - 1:
                side = "behind" if covered < end - 1 else "ahead of"
                what = f"its marker covers {source} up to {covered}, {side} the log's {end - 1}"
                yield Finding(CHECK, f"shard {shard}: {what}")
