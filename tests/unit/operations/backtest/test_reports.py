"""Reports of backtests: whole files of deterministic bytes, and nothing of a name is markup."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import InvalidInputError, UnavailableError
from domain.times import DAY, from_rfc3339
from operations.backtest.reports import files, told
from operations.backtest.reports.curves import alerts_by_hour, precision_recall
from operations.backtest.reports.diagrams.drawing import across, upward
from operations.backtest.reports.files import check_folder, write_report
from operations.backtest.reports.markup import Markup, tag
from operations.backtest.reports.page import page
from operations.backtest.runs.recorded import Finished, run_backtest
from tests.builders.decisions.backtests import FOLDER, asked_of, paid, ports_of
from tests.builders.decisions.history import decided_history
from tests.builders.feature_streams import examples

ROUTES = "routes: [{name: pager, to: slack, secret: DESK, at_most: 1}]"
EVIL = "<script>alert(1)</script>"


def nothing(*_: Any) -> None:
    return None


class Elements(HTMLParser):
    """Names of elements, their attributes, and what is inside scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
async def finished(tmp_path: Path) -> Finished:
    """Of a candidate whose folder bears a name that is markup."""
    folder = tmp_path / "<b>bold<b> & \"so' on"
    folder.mkdir()
    (folder / "policy.yaml").write_text(FOLDER + ROUTES)
    with decided_history() as history:
        await paid(history)
        asked = asked_of(folder, sweep="review_threshold=0.1:0.9:0.2")
        asked = replace(asked, closed_loop="card")
        return run_backtest(ports_of(history, tmp_path / "kept"), asked, nothing, nothing, nothing)


async def test_the_same_run_gives_the_same_files(finished: Finished, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_report(finished.made, finished.report, finished.fact, tmp_path / name)
    names = sorted(each.name for each in (tmp_path / "one").iterdir())
    assert names == ["decisions.parquet", "report.html", "report.json"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    report = json.loads((tmp_path / "one" / "report.json").read_bytes())
    (points,) = report["sweep"]["points"].values()
    assert [each["value"] for each in points] == [0.1, 0.3, 0.5, 0.7, 0.9]
    assert report["curves"]["by_day"]["days"] == ["2023-10-01"]
    assert report["curves"]["by_day"]["policies"][1]["caught_fraud"] == [
        report["candidates"][0]["caught_fraud"]
    ]


async def test_every_decision_of_every_policy_is_in_the_parquet_file(
    finished: Finished, tmp_path: Path
) -> None:
    write_report(finished.made, finished.report, finished.fact, tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "decisions.parquet").to_pylist()
    assert [row["transaction_id"] for row in rows] == [f"t-{n}" for n in range(6)] * 2
    assert [row["is_baseline"] for row in rows] == [True] * 6 + [False] * 6
    assert [row["label"] for row in rows[6:]] == [1, 1, 1, 1, None, 0]
    assert [row["outcome"] for row in rows[6:]] == ["approve"] * 2 + ["decline"] * 4
    assert {row["policy"] for row in rows} == {"live", finished.fact.candidates[0].name}


async def test_the_page_says_what_the_screen_says_of_loops_labels_and_messages(
    finished: Finished, tmp_path: Path
) -> None:
    found = json.loads(finished.report)
    texts = Elements(page(found, finished.fact)).texts
    loop = found["closed_loop"]
    assert f"{told.stopped(loop)}." in texts
    for policy in loop["policies"]:
        assert f"{policy['policy']}: {told.other_decisions(policy)}" in texts
        rows = [cell for row in told.loop_rows(policy) for cell in row]
        assert any(texts[at : at + len(rows)] == rows for at in range(len(texts)))
    reason = "No unbiased estimate: nothing was declined live in this time: no label is censored."
    assert texts.count(reason) == 1
    (row,) = told.route_rows(found["candidates"][0])
    assert row[:4] == ["pager", "4", "1", "1"]
    assert any(texts[at : at + len(row)] == row for at in range(len(texts)))
    (points,) = found["sweep"]["points"].values()
    low, high = points[0]["forecast"]["missed_fraud"]["interval"]
    assert f"{low / 100:,.0f} to {high / 100:,.0f}" in texts
    assert {"Open and closed loop", "Alerts, and messages that they become"} <= set(texts)
    # Where the live policy explored, the estimates stand there with their intervals.
    money = {"value": 1000.0, "variance": 1.0, "interval": [500.0, 2500.0]}
    both = {"horvitz_thompson": money, "self_normalised": money}
    totals = dict.fromkeys(("missed_fraud", "caught_fraud", "genuine_declined_money"), both)
    figures = totals | {"precision": None, "recall": money | {"value": 0.5, "interval": [0.4, 0.7]}}
    explored = dict.fromkeys(("passed", "passed_labelled", "reachable", "declined"), 40)
    found["estimates"][0] |= {
        "refused": None, "explored": explored | {"freed_beyond_reach": 0},
        "baseline": figures, "candidate": figures, "difference": totals,
    }  # fmt: skip
    texts = Elements(page(found, finished.fact)).texts
    assert reason not in texts
    assert texts.count("5 to 25") == 6
    assert texts.count("40.0 % to 70.0 %") == 2


async def test_no_name_is_markup_and_nothing_is_loaded(finished: Finished, tmp_path: Path) -> None:
    # A rule of that name would be refused, and merchants are called as they are.
    report = finished.report.replace(b"policy.busy", EVIL.encode()).replace(b"5411", EVIL.encode())
    write_report(finished.made, report, replace(finished.fact, by=EVIL), tmp_path / "out")
    text = (tmp_path / "out" / "report.html").read_text()
    found = Elements(text)
    assert [found.texts.count(each) for each in (EVIL, f"mcc {EVIL}")] == [2, 1]
    assert found.names.count("script") == 1
    assert "b" not in found.names
    assert EVIL not in text
    assert not {"link", "img", "iframe", "object", "base"} & set(found.names)
    assert not [name for name, _ in found.attributes if name in ("src", "href", "style")]
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text
    # What is drawn is told in words, and every table that sorts has buttons for the keyboard.
    assert text.count("<svg") == text.count('role="img"') + text.count('aria-hidden="true"')
    assert text.count('<table class="sorts"') == len(
        re.findall(r"<thead><tr><th[^>]*><button", text)
    )


@given(st.text(max_size=20))
@examples(50)
def test_what_is_no_markup_is_escaped(text: str) -> None:
    made = tag("p", text, title=text)
    found = Elements(made)
    assert found.names == ["p"]
    assert re.fullmatch(r"<p title=\"[^<\"]*\">[^<]*</p>", made, re.DOTALL)
    assert isinstance(made, Markup)


async def test_all_files_are_written_or_none(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files, "page", full)
        with pytest.raises(UnavailableError, match="name another folder"):
            write_report(finished.made, finished.report, finished.fact, out)
        assert not out.exists()
    write_report(finished.made, finished.report, finished.fact, out)
    before = {each.name: each.read_bytes() for each in out.iterdir()}
    monkeypatch.setattr(files, "page", full)
    with pytest.raises(UnavailableError):
        write_report(finished.made, b"{}", finished.fact, out)
    assert {each.name: each.read_bytes() for each in out.iterdir()} == before
    for wrong in (tmp_path / "no" / "folder", out / "report.json"):
        with pytest.raises(InvalidInputError, match="--report"):
            check_folder(wrong)


def curve() -> Iterator[tuple[float, float]]:
    """Of two thousand scores of few values, so that many are equal."""
    draw = np.random.default_rng(7)
    scores = draw.integers(0, 50, 2_000) / 50
    labels = (draw.random(2_000) < scores * 0.3).astype(np.float64)
    for each in precision_recall(labels, scores):
        reached = scores >= each["score"]
        assert each["recall"] == labels[reached].sum() / labels.sum()
        assert each["precision"] == labels[reached].sum() / reached.sum()
        yield each["recall"], each["precision"]


def test_precision_and_recall_are_those_of_each_threshold() -> None:
    found = list(curve())
    assert found[-1][0] == 1.0
    assert found == sorted(found, key=lambda each: each[0])
    assert 20 < len(found) <= 202


def test_alerts_are_counted_by_day_of_the_week_and_hour() -> None:
    monday = from_rfc3339("2023-10-02T05:59:59Z")
    times = np.array([monday, monday + 6 * DAY, monday + 7 * DAY, monday])
    found = alerts_by_hour(times, np.array([1, 3, 1, 0]))
    assert (found[0][5], found[6][5], sum(map(sum, found))) == (2, 1, 3)


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=5), st.booleans())
@example([5e-324], False)
@examples(50)
def test_scales_hold_every_value_and_have_few_ticks(values: list[float], logarithmic: bool) -> None:
    least = 1e-5 if logarithmic else 0.0
    for scale in (across(values, logarithmic=logarithmic, least=least),
                  upward(values, logarithmic=logarithmic, least=least)):  # fmt: skip
        low, high = sorted((scale.begin, scale.end))
        assert all(low <= scale.at(value) <= high for value in values)
        assert 1 <= len(scale.ticks()) <= 20
        assert all(scale.low <= tick <= scale.high * (1 + 1e-9) for tick in scale.ticks())
