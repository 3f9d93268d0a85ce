"""Reproduction of live decisions, as text: how many, and those that differ."""

from __future__ import annotations

from typing import Any

from operations.backtest.reports import reproduction

_SHOWN = 10


def show_reproduction(report: dict[str, Any]) -> None:
    """Nothing where none was decided live."""
    said = reproduction.line(report)
    if said is None:
        return
    print(said)
    for each in reproduction.told(report):
        print(f"  {each}")
    found = report["reproduction"]["differences"]
    for each in found[:_SHOWN]:
        print(f"  {reproduction.difference(each)}")
    if len(found) > _SHOWN:
        more = report["reproduction"]["different"] - _SHOWN
        print(f"  and {more:,} more: see --json or --report")
