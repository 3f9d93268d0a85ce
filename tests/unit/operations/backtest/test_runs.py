"""Recorded backtests: repeated to the byte, continued after an interruption."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from commands import backtests
from commands.backtests import (
    check_size,
    content_hash,
    keep_policy,
    kept_policy,
    record_backtest,
    recorded_backtests,
)
from domain.errors import IntegrityError, InvalidInputError, NotFoundError, UnavailableError
from domain.events import ListEntry, PolicyContent
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import BACKTESTS
from operations.backtest.laying import lay_down
from operations.backtest.policies.past import Past, read_past
from operations.backtest.policies.run import Asked
from operations.backtest.runs import columns, recorded
from operations.backtest.runs.recorded import Finished, run_backtest
from tests.builders.decisions.backtests import (
    FOLDER,
    asked_of,
    folder_of,
    paid,
    ports_of,
    repeated,
    tried,
)
from tests.builders.decisions.history import decided_history
from tests.builders.decisions.steps import RULES
from tests.builders.decisions.whole_past import nothing

SWEEP = "busy.card_count_1h=1:4:1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path, "calmer", FOLDER)


async def test_a_repetition_gives_the_same_bytes_whatever_came_since(
    folder: Path, tmp_path: Path
) -> None:
    with decided_history() as history:
        await paid(history)
        asked = replace(asked_of(folder, sweep=SWEEP), baseline=asked_of(folder).candidates[0])
        first = tried(ports_of(history, tmp_path / "kept"), asked)
        again = tried(ports_of(history, tmp_path / "kept"), asked_of(folder))
        # More payments and labels of that day, another policy and another model; and the folder is
        # not what it was.
        await history.pay("late", 900, "2023-10-01T13:00:00Z", card_id="card-1")
        history.label("t-4", 1, "card-1")
        history.publish(RULES[:1])
        history.promote(1, 0.1)
        (folder / "policy.yaml").unlink()
        ports = ports_of(history, tmp_path / "kept")
        same, other = (repeated(ports, each.fact.backtest_id[:9]) for each in (first, again))
        record_backtest(history.log, first.fact, 0)
        facts = [each.fact for each in recorded_backtests(history.log)]
    assert (same.identical, same.finished.report, same.others) == (True, first.report, [])
    assert (other.identical, other.finished.report) == (True, again.report)
    assert facts == [first.fact, again.fact]
    assert first.fact.report_hash != again.fact.report_hash
    assert first.fact.transactions == 6
    assert not list((tmp_path / "kept").iterdir())


async def test_figures_that_are_not_those_of_then_are_told_with_what_has_changed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with decided_history() as history:
        await paid(history)
        first = tried(ports_of(history, tmp_path), asked_of(folder))

        def others(*given: Any) -> tuple[Any, bool]:
            values, together = ports.score(*given)
            return values + 0.5, together

        ports = ports_of(history, tmp_path)
        monkeypatch.setattr(recorded, "code", lambda: "another")
        told = repeated(replace(ports, score=others), first.fact.backtest_id)
    assert not told.identical
    assert told.others == [f"the code was {first.fact.code}, and is another"]
    assert json.loads(told.finished.report)["backtest"] == first.fact.backtest_id


async def test_what_this_log_does_not_hold_is_not_repeated(folder: Path, tmp_path: Path) -> None:
    with decided_history() as history, decided_history() as empty:
        await paid(history)
        unrecorded = tried(ports_of(history, tmp_path), asked_of(folder), record=False)
        with pytest.raises(NotFoundError, match="no backtest"):
            repeated(ports_of(history, tmp_path), unrecorded.fact.backtest_id)
        first = tried(ports_of(history, tmp_path), asked_of(folder))
        with pytest.raises(IntegrityError, match="another log"):
            repeated(
                replace(ports_of(history, tmp_path), history=empty.ports.history),
                first.fact.backtest_id,
            )


async def test_an_interrupted_run_continues_from_its_columns_as_of_its_moment(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []

    def counted(*given: Any) -> Past:
        reads.append(1)
        return read_past(*given)

    def stop(_: Finished) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("operations.backtest.policies.run.read_past", counted)
    kept, said = tmp_path / "kept", list[str]()
    with decided_history() as history:
        await paid(history)
        ports, asked = ports_of(history, kept), asked_of(folder)
        with pytest.raises(KeyboardInterrupt):
            run_backtest(ports, asked, stop, nothing, nothing)
        assert recorded_backtests(history.log) == []
        await history.pay("late", 900, "2023-10-01T13:00:00Z", card_id="card-1")

        def never(*_: Any) -> Any:
            raise AssertionError("scores are laid down too")

        ports = replace(ports_of(history, kept), score=never)
        done = run_backtest(ports, asked, nothing, said.append, nothing)
        assert len(reads) == 1
        same = repeated(ports_of(history, kept), done.fact.backtest_id)
        whole = tried(ports_of(history, kept), asked)
        with pytest.raises(KeyboardInterrupt):
            run_backtest(ports_of(history, kept), asked, stop, nothing, nothing)
        anew = tried(ports_of(history, kept), asked, anew=True)
    assert said[0].startswith("continuing from the columns of 20")
    assert same.identical
    assert (done.fact.transactions, whole.fact.transactions) == (6, 7)
    assert anew.fact.transactions == 7
    assert len(reads) == 5
    assert not list(kept.iterdir())


async def test_columns_of_few_runs_lie_about_and_a_damaged_one_is_laid_down_again(
    folder: Path, tmp_path: Path
) -> None:
    def stop(_: Finished) -> None:
        raise KeyboardInterrupt

    with decided_history() as history:
        await paid(history)
        ports, asked = ports_of(history, tmp_path / "kept"), asked_of(folder)
        for later in range(columns.MOST_KEPT + 3):
            with pytest.raises(KeyboardInterrupt):
                run_backtest(ports, replace(asked, end=asked.end + later), stop, nothing, nothing)
        lying = sorted((tmp_path / "kept").glob("[!.]*"), key=lambda each: each.stat().st_mtime)
        assert len(lying) == columns.MOST_KEPT + 1
        (lying[-1] / "values.npy").write_bytes(b"half")
        tried(ports, replace(asked, end=asked.end + columns.MOST_KEPT + 2))
    assert len(list((tmp_path / "kept").glob("[!.]*"))) == columns.MOST_KEPT


async def test_a_full_disk_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lay_down, "assemble", full)
    with decided_history() as history:
        await paid(history)
        with pytest.raises(UnavailableError, match="No space left on device; free some space"):
            tried(ports_of(history, tmp_path / "kept"), asked_of(folder))
    assert not list((tmp_path / "kept").iterdir())


def large(number: int) -> PolicyContent:
    entries = [ListEntry(f"Müller {at}", None, "why") for at in range(number)]
    return PolicyContent(keys=["rules"], entries={"sanctions": entries})


def test_what_a_policy_says_is_kept_once_and_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    log = InMemoryEventLog()
    content = large(15_000)
    named = [keep_policy(log, content, at) for at in range(2)]
    parts = list(log.read(BACKTESTS))
    assert named == [content_hash(content)] * 2
    assert len(parts) == decode(parts[0].value).data.parts > 1
    assert kept_policy(log, named[0]) == content
    with pytest.raises(NotFoundError):
        kept_policy(log, "another")
    check_size(content, "sanctions")
    monkeypatch.setattr(backtests, "MOST_BYTES", 300_000)
    with pytest.raises(InvalidInputError, match="at most 300,000"):
        check_size(content, "sanctions")


def test_a_record_names_all_that_was_asked_for() -> None:
    """A new option of a backtest is to be recorded, or a repetition would be without it."""
    recorded_as: dict[str, Callable[[Any], Any]] = {
        name: lambda fact, name=name: getattr(fact, name)  # type: ignore[misc]
        for name in (
            *("candidates", "begin", "end", "model", "baseline", "sweep", "policy_version"),
            "closed_loop",
        )
    }
    recorded_as["load"] = lambda fact: fact.case_minutes
    recorded_as["served"] = lambda fact: fact.features
    assert {each.name for each in fields(Asked)} == set(recorded_as)
