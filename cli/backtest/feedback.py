"""What a policy's decisions lead to, as text: the closed loop, censored labels and estimates."""

from __future__ import annotations

from typing import Any

from cli.output import print_table
from operations.backtest.reports import told


def show_closed_loop(found: dict[str, Any]) -> None:
    """Of each policy the open loop, the closed one, and the difference."""
    print(f"\nclosed loop: {told.feeding_back(found)}")
    if (stopped := told.stopped(found)) is not None:
        print(f"  {stopped}")
    titles = [each.upper() for each in told.LOOPS]
    for each in found["policies"]:
        print(f"\n{each['policy']}: {told.other_decisions(each)}")
        print_table(told.loop_rows(each), ["", *titles], titles)
    for each in found["compared"]:
        print(f"\n{told.compared_in_loop(each)}")


def show_estimates(apart: dict[str, Any], found: dict[str, Any]) -> None:
    """What is censored, and what exploration tells of it."""
    for said in (*told.hidden(apart), *told.estimated(found)):
        print(f"  {said}")
    if found["refused"] is not None:
        return
    for estimator in told.ESTIMATORS:
        title = estimator.upper()
        rows = told.estimate_rows(found, estimator)
        print_table(rows, ["", title, "FROM", "TO"], [title, "FROM", "TO"])
    print_table(told.ratio_rows(found), ["", "RATIO", "FROM", "TO"], ["RATIO", "FROM", "TO"])
