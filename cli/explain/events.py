"""Values of features on the screen, and the events that made them."""

from __future__ import annotations

from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING

from cli.output import print_table

if TYPE_CHECKING:
    from operations.explain.told import ToldEvent, ToldFeature

_LABELS = {0: "genuine", 1: "fraud", None: ""}
_SHORT = {"hours": " h", "days": " d", "km": " km", "km/h": " km/h", "times": " x"}


def print_wrapped(text: str, indent: int = 0) -> None:
    """Lines after the first are two columns further in; ids and conditions stay whole."""
    width = max(get_terminal_size().columns, 40)
    print(
        fill(
            text, width, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2),
            break_long_words=False, break_on_hyphens=False,
        )
    )  # fmt: skip


def shown(value: float | None, unit: str = "") -> str:
    """To three digits, with units that have a sign."""
    if value is None:
        return "unknown"
    whole = float(value).is_integer() or abs(value) >= 1000
    return f"{value:,.0f}{_SHORT.get(unit, '')}" if whole else f"{value:.3g}{_SHORT.get(unit, '')}"


def usual(feature: ToldFeature) -> str:
    """Where the middle eight tenths lie."""
    found = feature.usual
    if found is None or found.low is None:
        return ""
    if found.high is None:
        return f"from {shown(found.low)}"
    same = found.low == found.high
    return shown(found.low) if same else f"{shown(found.low)} to {shown(found.high)}"


def print_feature(feature: ToldFeature, most: int) -> None:
    """With its events, at most as many as are listed of each."""
    print(f"{feature.name}: {shown(feature.value)} ({feature.unit})")
    print_wrapped(feature.meaning, 2)
    if told := usual(feature):
        typical = shown(feature.usual.typical) if feature.usual else ""
        print(f"  usual: {told}; a typical genuine payment: {typical}")
    if feature.contribution is not None:
        print(f"  adds {feature.contribution:+.3f} to the log odds")
    if feature.as_known is not None:
        print(f"  by what was known: {shown(feature.as_known)}")
    if not feature.total:
        print("  no event made it")
        return
    rows = [
        [
            each.transaction_id,
            each.kind.replace("_", "-"),
            f"{each.time[:10]} {each.time[11:19]}",
            each.amount,
            _LABELS[each.label],
        ]
        for each in feature.events
    ]
    print_table(rows, ["TRANSACTION", "WHAT", "TIME", "AMOUNT", "LABEL"], right=["AMOUNT"])
    if feature.total > len(rows):
        print(f"the newest {len(rows)} of {feature.total:,}: no more than {most} are listed")


def event_line(event: ToldEvent) -> str:
    """One event in a line."""
    label = f", {_LABELS[event.label]}" if event.label is not None else ""
    kind = event.kind.replace("_", "-")
    return f"{event.transaction_id}: {kind}{label}, {event.time[:19]}Z, {event.amount}"
