"""Tables of `retrace figures` and `retrace policy statistics`."""

from collections.abc import Callable

import pytest

from cli.policy.figures import show_figures
from cli.policy.statistics import show_statistics
from projections.readmodels.queries.figures import Figures
from projections.readmodels.queries.rule_statistics import statistics_of
from projections.readmodels.queries.tallies import Tally
from tests.fakes.rules import rule

SETS = {
    2: [rule("busy", action="decline", shadow=True), rule("big")],
    3: [rule("busy", action="decline", share=1_000), rule("big")],
}
TALLIES = [
    Tally((2, [1], [0], ""), "review", 1, (1,), 4, 200_000),
    Tally((2, [], [0], "1"), "decline", -1, (), 1, 100),
    Tally((3, [0], [], ""), "decline", 0, (0,), 2, 50_000),
    Tally((3, [], [0], ""), "approve", 1, (1,), 3, 90_000),
]


def told(capsys: pytest.CaptureFixture[str], show: Callable[[], None]) -> list[str]:
    """Lines, with one blank between words."""
    show()
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_statistics_tell_each_stage_of_a_rule(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    found = statistics_of(TALLIES, SETS)
    lines = told(capsys, lambda: show_statistics(found, daily=False, every_pair=False))
    assert lines[1:] == [
        "busy 2 shadow 5 80.0 % 100.0 % 2,001 2,000 0 0",
        "would change 4 100.0 % 100.0 % 2,000 2,000 0",
        "big 2 acted, 100 % 4 100.0 % 100.0 % 2,000 2,000 0 1",
        "busy 3 acted, 10 % 2 100.0 % 0.0 % 500 0 500 0",
        "shadow 3 100.0 % 100.0 % 900 900 0",
        "would change 3 100.0 % 100.0 % 900 900 0",
        "big 3 acted, 100 % 0 - - 0 0 0 0",
        "set 2: big and busy both held in 4",
    ]


def test_figures_leave_out_maturities_that_no_payment_has_reached(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    summed = Figures()
    for tally in TALLIES:
        summed.add(tally)
    titles, row = told(capsys, lambda: show_figures("day", [("2024-03-01", summed)]))
    assert "fraud in 7 d false/true" in titles
    assert row == "2024-03-01 10 30.0 % 40.0 % 0.0 % 30.0 % 7 77.8 % 0.5 501 900 500"
