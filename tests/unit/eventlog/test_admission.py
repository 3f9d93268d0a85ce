"""Admission: which record of an id counts, the same for every reader, however often it reads."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import (
    Envelope,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import HORIZON_US, Admission, Memory
from eventlog.admission.sqlite_memory import SqliteMemory
from tests.fakes.events import NOW, concluded, imported, labelled, scored, submitted

Place = tuple[int, int]
Log = dict[int, list[Envelope]]
ORIGINS = (TransactionSubmitted, TransactionImported)

# All facts of an id are in one partition: here, the one its number names.
_facts: dict[str, Callable[..., Envelope]] = {
    "submitted": submitted,
    "imported": imported,
    "scored": scored,
    "concluded": concluded,
}


@st.composite
def logs(draw: st.DrawFn) -> Log:
    log: Log = {0: [], 1: []}
    for _ in range(draw(st.integers(0, 24))):
        partition = draw(st.integers(0, 1))
        subject = f"t-{partition}-{draw(st.integers(0, 1))}"
        kind = draw(st.sampled_from([*_facts, "labelled"]))
        if kind == "labelled":
            log[partition].append(labelled(subject, f"{subject}/{draw(st.integers(0, 1))}"))
        else:
            digest = draw(st.sampled_from("ab"))
            result = "passed" if digest == "a" else "failed"
            what = result if kind == "concluded" else digest
            log[partition].append(_facts[kind](subject, what))
    return log


@st.composite
def readings(draw: st.DrawFn) -> tuple[Log, list[int], list[int]]:
    """A log and two orders in which its partitions' records may arrive."""
    log = draw(logs())
    turns = [p for p, records in log.items() for _ in records]
    return log, draw(st.permutations(turns)), draw(st.permutations(turns))


def admitted(log: Log, turns: list[int], admission: Admission) -> dict[Place, bool]:
    offsets = dict.fromkeys(log, 0)
    verdicts: dict[Place, bool] = {}
    for partition in turns:
        offset = offsets[partition]
        offsets[partition] += 1
        verdicts[partition, offset] = admission.admit(log[partition][offset], partition, offset)
    return verdicts


@given(readings())
def test_every_reader_admits_the_same_in_whatever_order_partitions_arrive(
    reading: tuple[Log, list[int], list[int]],
) -> None:
    log, one, other = reading
    assert admitted(log, one, Admission(DictMemory())) == admitted(
        log, other, Admission(DictMemory())
    )


@given(readings())
def test_reading_again_admits_the_same(reading: tuple[Log, list[int], list[int]]) -> None:
    log, one, other = reading
    admission = Admission(DictMemory())
    assert admitted(log, one, admission) == admitted(log, other, admission)


@given(readings())
def test_an_id_has_one_origin_and_at_most_one_decision_and_labels_count_once(
    reading: tuple[Log, list[int], list[int]],
) -> None:
    log, turns, _ = reading
    verdicts = admitted(log, turns, Admission(DictMemory()))
    counting = [log[p][o] for (p, o), counts in sorted(verdicts.items()) if counts]
    seen = {e.subject for records in log.values() for e in records if isinstance(e.data, ORIGINS)}
    for subject in seen:
        of_id = [e.data for e in counting if e.subject == subject]
        origins = [data for data in of_id if isinstance(data, ORIGINS)]
        decisions = [data for data in of_id if isinstance(data, TransactionScored)]
        assert len(origins) == 1
        assert len(decisions) <= 1
        if decisions:
            assert isinstance(origins[0], TransactionSubmitted)
            assert decisions[0].digest == origins[0].digest
            assert of_id.index(decisions[0]) > of_id.index(origins[0])
        results = [data for data in of_id if isinstance(data, StepUpConcluded)]
        assert len(results) <= len(decisions)
        if results:
            assert of_id.index(results[0]) > of_id.index(decisions[0])
    labels = [e.id for e in counting if isinstance(e.data, TransactionLabelled)]
    assert len(labels) == len(set(labels))
    assert {e.subject for e in counting if isinstance(e.data, TransactionLabelled)} <= seen


@given(readings())
def test_memory_in_sqlite_equals_one_in_a_dict(reading: tuple[Log, list[int], list[int]]) -> None:
    log, turns, _ = reading
    plain, sqlite = DictMemory(), SqliteMemory(None)
    assert admitted(log, turns, Admission(plain)) == admitted(log, turns, Admission(sqlite))
    ids = {e.subject for records in log.values() for e in records}
    assert [sqlite.known(each) for each in ids] == [plain.known(each) for each in ids]
    sqlite.close()


def test_a_decision_made_for_other_content_is_void() -> None:
    admission = Admission(DictMemory())
    assert admission.admit(submitted("t", "a"), 0, 0)
    assert not admission.admit(scored("t", "b"), 0, 1)
    assert admission.admit(scored("t", "a"), 0, 2)


def test_an_imported_transaction_has_no_decision() -> None:
    admission = Admission(DictMemory())
    assert admission.admit(imported("t"), 0, 0)
    assert not admission.admit(scored("t"), 0, 1)


def test_a_decision_before_its_submission_stays_void_when_read_again() -> None:
    admission = Admission(DictMemory())
    records = [scored("t"), submitted("t"), scored("t")]
    first = [admission.admit(record, 0, offset) for offset, record in enumerate(records)]
    again = [admission.admit(record, 0, offset) for offset, record in enumerate(records)]
    assert first == again == [False, True, True]


def test_an_id_may_be_used_again_after_the_horizon() -> None:
    admission = Admission(DictMemory())
    assert admission.admit(submitted("t"), 0, 0)
    assert not admission.admit(submitted("t", known_time=NOW + HORIZON_US), 0, 1)
    assert admission.admit(submitted("t", known_time=NOW + HORIZON_US + 1), 0, 2)


USED_AGAIN = [
    submitted("t"),
    labelled("t"),
    labelled("t"),
    submitted("t", known_time=NOW + HORIZON_US + 1),
    labelled("t"),
    labelled("t"),
]


@pytest.mark.parametrize("memory", [DictMemory, lambda: SqliteMemory(None)])
def test_a_label_of_an_id_used_again_counts_though_the_first_use_had_the_same(
    memory: Callable[[], Memory],
) -> None:
    kept = memory()
    admission = Admission(kept)
    counts = [admission.admit(record, 0, offset) for offset, record in enumerate(USED_AGAIN)]
    assert counts == [True, True, False, True, True, False]
    labels = [1, 2, 4, 5]
    again = [admission.admit(USED_AGAIN[at], 0, at) for at in labels]
    assert again == [counts[at] for at in labels]
    if isinstance(kept, SqliteMemory):
        kept.commit({0: 6})
        assert kept.label(USED_AGAIN[1].id) == (0, 4)
        kept.close()
