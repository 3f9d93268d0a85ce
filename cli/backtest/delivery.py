"""Delivery of a backtest's alerts, as text: what each route would have sent, and how late."""

from __future__ import annotations

from typing import Any

from cli.output import print_table

_TITLES = ["ROUTE", "ALERTS", "MESSAGES", "DIGESTS", "MEDIAN", "P99", "LATEST", "MINUTE", "HOUR",
           "DAY"]  # fmt: skip
_SPANS = {"minute": "a minute", "hour": "an hour", "day": "a day"}


def print_deliveries(policies: list[dict[str, Any]]) -> None:
    """Of each policy, with the delay of alerts and the busiest minute, hour and day of messages."""
    for policy in policies:
        found = policy["delivery"]
        most = ", ".join(
            f"{_most(found['busiest'], span)} in {words}" for span, words in _SPANS.items()
        )
        print(f"\n{policy['policy']}: {found['alerts']:,} alerts, at most {most}")
        if not found["routes"]:
            print("  no route: nobody is told")
            continue
        print_table([_row(each) for each in found["routes"]], _TITLES, _TITLES[1:])


def _row(route: dict[str, Any]) -> list[str]:
    waited = route["waited_seconds"]
    late = [_span(waited[name]) for name in ("median", "p99", "longest")] if waited else [""] * 3
    counts = [f"{route[name]:,}" for name in ("alerts", "messages", "digests")]
    return [route["route"], *counts, *late, *(_most(route["busiest"], span) for span in _SPANS)]


def _most(busiest: dict[str, Any], span: str) -> str:
    found = busiest[span]
    return f"{found['number']:,}" if found else "0"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
