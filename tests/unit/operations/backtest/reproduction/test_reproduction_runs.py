"""Reproduction in runs of backtests: on the screen, on the page, and again from the record."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eventlog.topics import TRANSACTIONS
from operations.backtest.reports import reproduction as told
from operations.backtest.reports.page import page
from operations.backtest.runs.recorded import Finished, run_backtest
from tests.builders.decisions.backtests import (
    BEGIN,
    FOLDER,
    asked_of,
    folder_of,
    paid,
    ports_of,
    repeated,
    tried,
)
from tests.builders.decisions.history import DecidedHistory, decided_history
from tests.builders.decisions.whole_past import nothing
from tests.fakes.events import imported


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path, "calmer", FOLDER)


async def test_a_run_tells_it_on_the_screen_and_on_the_page_and_repeats_it(
    folder: Path, tmp_path: Path
) -> None:
    def run(history: DecidedHistory, **changes: Any) -> Finished:
        asked = replace(asked_of(folder), **changes)
        return tried(ports_of(history, tmp_path / "kept"), asked)

    with decided_history() as history:
        await paid(history)
        at = "2023-10-01T12:30:00Z"
        await history.pay_while_behind("<behind>", 100, at, card_id="card-1")
        served, ideal = run(history, served=True), run(history)
        against = run(history, baseline=asked_of(folder).candidates[0])
        again = [
            repeated(ports_of(history, tmp_path / "kept"), each.fact.backtest_id)
            for each in (served, ideal)
        ]
    assert [each.identical for each in again] == [True, True]
    assert (served.fact.features, ideal.fact.features) == ("served", "ideal")
    reports = [json.loads(each.report) for each in (served, ideal, against)]
    assert [told.line(each) for each in reports] == [
        "recorded decisions 7, reproduced 7, different 0, with served features",
        "recorded decisions 7, reproduced 6, different 1, with ideal features",
        None,
    ]
    assert told.told(reports[1]) == [
        "different by 1 features",
        "1 were served features that are not the ideal ones",
    ]
    (each,) = reports[1]["reproduction"]["differences"]
    line = told.difference(each)
    assert line.startswith("<behind>, features (card_count_1h 5.0 and not 6.0): score 0.")
    pages = [page(each, run.fact) for each, run in zip(reports, (served, ideal, against),
                                                       strict=True)]  # fmt: skip
    assert ["Does it decide as it did live?" in each for each in pages] == [True, True, False]
    assert "&lt;behind&gt;" in pages[1]
    assert "<behind>" not in pages[1]


async def test_columns_of_ideal_features_are_not_taken_for_served_ones(
    folder: Path, tmp_path: Path
) -> None:
    def stop(_: Finished) -> None:
        raise KeyboardInterrupt

    with decided_history() as history:
        await paid(history)
        await history.pay_while_behind("t-9", 100, "2023-10-01T12:30:00Z", card_id="card-1")
        ports, asked = ports_of(history, tmp_path / "kept"), asked_of(folder)
        with pytest.raises(KeyboardInterrupt):
            run_backtest(ports, asked, stop, nothing, nothing)
        said: list[str] = []
        done = run_backtest(
            ports, replace(asked, served=True), nothing, said.append, nothing, record=False
        )
    assert not [each for each in said if each.startswith("continuing")]
    assert json.loads(done.report)["reproduction"]["different"] == 0


async def test_imported_history_is_none_of_the_recorded_decisions(
    folder: Path, tmp_path: Path
) -> None:
    before = imported("old", time=BEGIN, known_time=BEGIN)
    payment = replace(before.data.transaction, timestamp=BEGIN)
    before = replace(before, data=replace(before.data, transaction=payment))
    reports = []
    with decided_history() as history:
        history.log.append_nowait(TRANSACTIONS, "old", before)
        history.promote(0, 0.5)
        for _ in range(2):
            done = tried(ports_of(history, tmp_path / "kept"), asked_of(folder))
            reports.append(done.made.report)
            await history.pay("t-1", 100, "2023-10-01T12:00:00Z")
    assert [each["transactions"] for each in reports] == [1, 2]
    assert [each["reproduction"]["decisions"] for each in reports] == [0, 1]
    assert [told.line(each) is None for each in reports] == [True, False]
    assert told.shown(reports[0]) == []
