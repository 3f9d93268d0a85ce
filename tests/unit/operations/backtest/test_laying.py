"""Columns laid down by shards and slices: those of one replay in memory, however they are cut."""

import pickle
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import (
    IntegrityError,
    InvalidInputError,
    NotFoundError,
    RetraceError,
    UnavailableError,
)
from domain.features import FeatureSet
from eventlog.archive.history import History
from operations.backtest.laying import lay_down
from operations.backtest.laying.decided import Serving
from operations.backtest.laying.lay_down import Means, check_room, rows_at_once
from operations.backtest.policies.past import IDEAL, past_in, read_past
from operations.backtest.runs.recorded import Finished, run_backtest
from tests.builders.decisions.archived_events import SERVED, fact_of, history_of
from tests.builders.decisions.backtests import FOLDER, asked_of, paid, ports_of
from tests.builders.decisions.history import decided_history
from tests.builders.decisions.whole_past import nothing, nowhere, told, whole_past
from tests.builders.feature_events import paid as paid_event
from tests.builders.feature_streams import T0, Placed, every_kind, examples, logs

SET = FeatureSet(every_kind().features[::7])
# What the decisions were served: two features that are laid down, and one that is not.
TAKEN = FeatureSet((*every_kind().features[7:15:7], every_kind().features[1]))
ATTRIBUTES = ["email"]


def means(at_once: int) -> Means:
    """That hold so many events at once."""
    found = Means(memory=at_once * (lay_down._OF_EVENT + lay_down._OF_VALUE * len(SET)))
    assert rows_at_once(found.memory, len(SET), 1) == at_once
    return found


def laid(
    history: History, period: tuple[int, int, int], at_once: int, serving: Serving = IDEAL
) -> dict[str, Any]:
    past = read_past(
        history, *period, ATTRIBUTES, nowhere, nothing, nothing, SET, means(at_once),
        serving=serving,
    )  # fmt: skip
    return told(past)


SERVINGS = [IDEAL, *(Serving({SERVED: TAKEN}, taken=taken) for taken in (False, True))]


@given(logs(), st.integers(0, 12), st.integers(1, 4), st.integers(2, 9), st.data())
@examples(15)
def test_however_it_is_cut_it_is_what_one_replay_of_all_gives(
    log: list[Placed], archived: int, pieces: int, at_once: int, data: st.DataObject
) -> None:
    facts = [fact_of(each.event, number) for number, each in enumerate(log)]
    times = sorted({T0, *(fact.time for fact in facts), *(fact.known_time for fact in facts)})
    known = data.draw(st.sampled_from([times[-1], times[-1], *times]))
    begin = data.draw(st.sampled_from([T0, *times]))
    period = begin, data.draw(st.sampled_from([times[-1] + 1, times[-1] + 1, *times])), known
    with tempfile.TemporaryDirectory() as folder:
        history = history_of(facts, Path(folder), archived, pieces)
        serving = data.draw(st.sampled_from(SERVINGS))
        expected = told(whole_past(history, *period, ATTRIBUTES, nowhere, SET, serving))
        if expected["ids"]:
            assert laid(history, period, at_once, serving) == expected


def test_labels_that_come_late_and_one_entity_of_all_events_are_folded_as_in_one_piece(
    tmp_path: Path,
) -> None:
    """Two labels of each payment, of which the first in the log is known after the other."""
    log = []
    for number in range(8):
        event = paid_event(f"t-{number}", T0 + number * 600_000_000, 100)
        log.append(event)
        for known, value in ((90, number % 2), (60, 1)):
            at = event.time + known * 1_000_000
            log.append(event._replace(kind="label", time=at, known_time=at, label=value))
    facts = [fact_of(event, number) for number, event in enumerate(log)]
    history = history_of(facts, tmp_path, 3, 2)
    period = T0, T0 + 10**12, T0 + 10**12
    expected = told(whole_past(history, *period, ATTRIBUTES, nowhere, SET))
    for at_once in (5, 1_000):
        assert laid(history, period, at_once) == expected


def test_what_was_served_comes_to_its_own_payment_whatever_block_it_lies_in(tmp_path: Path) -> None:
    """Blocks are of partitions, whose payments follow each other in known time."""
    paid = (paid_event(f"t-{number}", T0 + number * 1_000_000, 100) for number in range(24))
    log = [event._replace(outcome="approve") if event.order % 2 else event for event in paid]
    facts = [fact_of(event, number) for number, event in enumerate(log)]
    history = history_of(facts, tmp_path, 5, 2)
    period = T0, T0 + 10**12, T0 + 10**12
    for serving in SERVINGS:
        expected = told(whole_past(history, *period, ATTRIBUTES, nowhere, SET, serving))
        assert laid(history, period, 4, serving) == expected


async def test_a_backtest_gives_the_same_bytes_however_little_it_may_hold(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(FOLDER)
    reports = []
    with decided_history() as history:
        await paid(history)
        for number, memory in enumerate((1, 1 << 30)):
            ports = replace(ports_of(history, tmp_path / str(number)), means=Means(memory=memory))
            found: Finished = run_backtest(
                ports, asked_of(tmp_path), nothing, nothing, nothing, record=False
            )
            reports.append(found.report.replace(found.fact.backtest_id.encode(), b""))
            moment = found.made.report["labels_known_at"].encode()
            reports[-1] = reports[-1].replace(moment, b"")
    assert reports[0] == reports[1]


def test_a_disk_without_room_is_told_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnavailableError, match=r"take 1,000,000,000\.0 GB or more in .* are free"):
        check_room(tmp_path, 10**18)
    history = history_of([fact_of(paid_event("t", T0, 1), 0)], tmp_path / "archive", 1, 1)
    monkeypatch.setattr(lay_down, "_SPILLED", 10**18)
    with pytest.raises(UnavailableError, match="set RETRACE_STATE_DIR to another disk"):
        laid(history, (T0, T0 + 1, T0), 10)


def test_columns_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="remove it"):
        past_in(tmp_path, nowhere)


@pytest.mark.parametrize(
    "error", [NotFoundError("archive file", "x"), InvalidInputError("--from", "is empty")]
)
def test_an_error_of_a_worker_is_the_same_one_here(error: RetraceError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
