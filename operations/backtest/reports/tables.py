"""Tables of a report. Those whose rows have no order of their own can be sorted by a click."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from operations.backtest.reports.markup import Markup, tag
from operations.backtest.reports.told import OUTCOMES
from operations.backtest.reports.words import between, money, number, share, shown, words

Document = dict[str, Any]
Cell = str | float | None
Show = Callable[[Any], str] | None

_SEGMENTS = ("transactions", "changed", "alerts", "saved", "lost", "genuine_declined_money")
_ALERTS = (
    *("per_day", "busiest_day", "suppressed", "cases_per_day"),
    *("analyst_hours_per_day", "frauds_per_analyst_hour"),
)


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    shows: Sequence[Show],
    *,
    sorts: bool = False,
) -> Markup:
    """`shows` write the numbers of each column; columns without one are text, to the left."""
    head = [
        tag("th", tag("button", name, type="button") if sorts else name, scope="col",
            class_="text" if show is None else "number")
        for name, show in zip(columns, shows, strict=True)
    ]  # fmt: skip
    body = [tag("tr", *_cells(row, shows)) for row in rows]
    made = tag(
        "table",
        tag("caption", tag("span", title)),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        class_="sorts" if sorts else None,
    )
    return tag("div", made, class_="wide", role="region", aria_label=title, tabindex="0")


def text_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """Of cells that are written already; all but the first are numbers."""
    return table(title, columns, rows, (None, *(str for _ in columns[1:])))


def _cells(row: Sequence[Cell], shows: Sequence[Show]) -> list[Markup]:
    """The first one names the row."""
    made = []
    for at, (value, show) in enumerate(zip(row, shows, strict=True)):
        said = "unknown" if value is None else str(value) if show is None else show(value)
        name, scope = ("td", None) if at else ("th", "row")
        kind = "text" if show is None else "number"
        made.append(tag(name, said, scope=scope, class_=kind, data_value=_sorted_by(value)))
    return made


def _sorted_by(value: Cell) -> str | None:
    return None if value is None or isinstance(value, str) else repr(value)


def numbers_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], shows: Sequence[Show]
) -> Markup:
    """The numbers of a chart, folded away."""
    return tag("details", tag("summary", "Numbers"), table(title, columns, rows, shows, sorts=True))


def summary(found: Document) -> Markup:
    """One column for each policy."""
    policies = [found["baseline"], *found["candidates"]]
    rows: list[list[Cell]] = [
        [words(name), *(f"{each['decisions'][name]:,}" for each in policies)] for name in OUTCOMES
    ]
    rows += [[name, *(share(each[name]) for each in policies)] for name in ("precision", "recall")]
    rows += [
        [f"{words(name)}, money", *(money(each[name]) for each in policies)]
        for name in ("caught_fraud", "missed_fraud", "genuine_declined_money")
    ]
    rows += [
        [f"alerts: {words(name)}", *(number(each["alerts"][name]) for each in policies)]
        for name in _ALERTS
    ]
    rows += [
        [f"{name}, {age}", *(share(each["by_maturity"][age][name]) for each in policies)]
        for age in policies[0]["by_maturity"]
        for name in ("precision", "recall")
    ]
    names = [each["policy"] for each in policies]
    return table("Policies", ["", *names], rows, (None, *(str for _ in names)))


def reasons(found: Document) -> Markup:
    """How many decisions each rule took part in."""
    policies = [found["baseline"], *found["candidates"]]
    codes = list(dict.fromkeys(code for each in policies for code in each["reasons"]))
    rows = [[code, *(each["reasons"].get(code, 0) for each in policies)] for code in codes]
    names = [each["policy"] for each in policies]
    shows = (None, *(_whole for _ in names))
    return table("Reasons of decisions", ["Reason", *names], rows, shows, sorts=True)


def declared(found: Document) -> Markup | None:
    """Features that are not in the catalogue, of each policy that has any."""
    rows: list[list[Cell]] = [
        [policy, each["name"], each["meaning"], each.get("entity", "request"), each["aggregation"],
         each["window"][0] if "window" in each else "", each.get("filter", "")]
        for policy, features in found.get("declared_features", {}).items()
        for each in features
    ]  # fmt: skip
    if not rows:
        return None
    columns = ["Policy", "Feature", "Meaning", "Of", "Aggregation", "Window", "Filter"]
    return table("Features that are not in the catalogue", columns, rows, (None,) * len(columns))


def changes(made: Mapping[str, Any]) -> Markup:
    """What a candidate changes, with its intervals."""
    rows: list[list[Cell]] = []
    for name, interval in made["intervals"].items():
        show = shown(name)
        value = show(made[name]) if name in made else ""
        rows.append([words(name), value, *(("", "") if interval is None else map(show, interval))])
    title = f"{made['baseline']} against {made['candidate']}, with intervals of 95 % by card"
    return table(title, ["", "Change", "From", "To"], rows, (None, str, str, str))


def segments(made: Mapping[str, Any]) -> Markup | None:
    """Where it changes anything."""
    rows = [
        [f"{kind} {name}", *(each[key] for key in _SEGMENTS)]
        for kind, by_name in made["segments"].items()
        for name, each in by_name.items()
        if each["changed"]
    ]
    if not rows:
        return None
    columns = ["Segment", "Payments", "Changed", "Alerts", "Saved", "Lost", "Wronged"]
    shows = (None, _whole, _whole, _whole, money, money, money)
    title = f"{made['candidate']}, by segment (money where it is saved, lost or wronged)"
    return table(title, columns, rows, shows, sorts=True)


def sweep(parameter: str, policy: str, points: Sequence[Mapping[str, Any]]) -> Markup:
    rows = [
        [
            *(each[k] for k in ("value", "alerts_per_day", "missed_fraud")),
            *(each[k] for k in ("genuine_declined_money", "precision", "recall")),
            "yes" if each["frontier"] else "",
            between(each["forecast"]["alerts_per_day"]["interval"], number),
            between(each["forecast"]["missed_fraud"]["interval"], money),
        ]
        for each in points
    ]
    columns = ["Value", "Alerts a day", "Missed", "Wronged", "Precision", "Recall", "Frontier"]
    columns += ["Next alerts a day", "Next missed"]
    shows = (lambda value: f"{value:g}", number, money, money, share, share, None, None, None)
    return table(f"{policy}, {parameter}", columns, rows, shows, sorts=True)


def _whole(value: float) -> str:
    return f"{value:,.0f}"
