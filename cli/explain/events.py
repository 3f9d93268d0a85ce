"""Values of features on the screen, and the events that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import print_table

if TYPE_CHECKING:
    from operations.explain.told import ToldEvent, ToldFeature

_LABELS = {0: "genuine", 1: "fraud", None: ""}


def shown(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def usual(feature: ToldFeature) -> str:
    """Where the middle nine tenths lie."""
    found = feature.usual
    if found is None or found.low is None:
        return ""
    if found.high is None:
        return f"from {shown(found.low)}"
    return (
        shown(found.low)
        if found.low == found.high
        else f"{shown(found.low)} to {shown(found.high)}"
    )


def print_feature(feature: ToldFeature, most: int) -> None:
    """With its events, at most as many as are listed of each."""
    print(f"{feature.name}: {shown(feature.value)} ({feature.unit})")
    print(f"  {feature.meaning}")
    if told := usual(feature):
        typical = shown(feature.usual.typical) if feature.usual else ""
        print(f"  usual: {told}; a typical genuine payment: {typical}")
    if feature.contribution is not None:
        print(f"  adds {feature.contribution:+.3f} to the log odds")
    print_events(feature.events, feature.total, most)


def print_events(events: list[ToldEvent], total: int, most: int) -> None:
    """A table of the newest, and how many there are."""
    if not total:
        print("  no event made it")
        return
    rows = [
        [
            each.transaction_id,
            each.kind.replace("_", "-"),
            each.time,
            each.amount,
            _LABELS[each.label],
        ]
        for each in events
    ]
    print_table(rows, ["TRANSACTION", "WHAT", "TIME", "AMOUNT", "LABEL"], right=["AMOUNT"])
    if total > len(events):
        print(f"  the newest {len(events)} of {total:,} are listed, {most} at most")
