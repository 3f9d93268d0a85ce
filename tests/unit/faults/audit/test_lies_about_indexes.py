"""Each lie about an index of ids is found."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from eventlog.index.entries import about, name_of
from faults.audit.checks.memories import check_memories
from faults.audit.evidence import Evidence, IndexEvidence
from faults.audit.reading import Reading, read


@pytest.fixture(scope="module")
def reading(evidence: Evidence) -> Reading:
    return read(evidence)


def index(reading: Reading, partition: int) -> IndexEvidence:
    places = {
        record.position.offset: name_of(found[0])
        for record in reading.transactions[partition]
        if record.status == "counts" and record.envelope and (found := about(record.envelope))
    }
    end = reading.ends[partition]
    return IndexEvidence(name="api", partition=partition, position=end, places=places)


def found(evidence: Evidence, reading: Reading, **lie: object) -> list[str]:
    indexes = [index(reading, partition) for partition in range(len(reading.ends))]
    chosen = max(indexes, key=lambda each: len(each.places))
    indexes[chosen.partition] = replace(chosen, **lie)  # type: ignore[arg-type]
    told = replace(evidence, memories=(), indexes=indexes)
    return [each.what for each in check_memories(told, reading)]


def places(reading: Reading) -> Mapping[int, int]:
    indexes = (index(reading, partition) for partition in range(len(reading.ends)))
    return max(indexes, key=lambda each: len(each.places)).places


def test_what_is_true_is_no_finding(evidence: Evidence, reading: Reading) -> None:
    assert found(evidence, reading) == []


def test_a_position_ahead_of_the_log_is_found(evidence: Evidence, reading: Reading) -> None:
    (what,) = found(evidence, reading, position=10_000)
    assert "is ahead of the log's end" in what


def test_a_place_that_it_lacks_is_found(evidence: Evidence, reading: Reading) -> None:
    held = dict(places(reading))
    gone, _ = held.popitem()
    (what,) = found(evidence, reading, places=held)
    assert f"{gone} is below its position" in what


def test_a_place_that_is_of_another_id_is_found(evidence: Evidence, reading: Reading) -> None:
    held = dict(places(reading))
    offset = min(held)
    what = found(evidence, reading, places=held | {offset: held[offset] + 1})
    assert any(f"{offset} is not of the id" in each for each in what)
