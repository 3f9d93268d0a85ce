"""Diagrams of what follows from decisions: both loops, unbiased estimates, alerts by routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from operations.backtest.reports.diagrams.charts import figure, legend
from operations.backtest.reports.diagrams.drawing import percent, short
from operations.backtest.reports.diagrams.rows import Panel, Row, panels
from operations.backtest.reports.markup import Markup
from operations.backtest.reports.words import money, number, share, span, words

Told = Mapping[str, Any]

_IN_LOOPS = ("missed_fraud", "genuine_declined_money")
_ESTIMATED = ("missed_fraud", "caught_fraud", "genuine_declined_money")


def loops(policies: Sequence[Told]) -> Markup:
    """Of each policy, from the open loop to the closed one."""
    kinds = [(_heading(n), short, [_in_loops(p, n) for p in policies]) for n in _IN_LOOPS]
    alerts = [(each["open"]["alerts"], each["closed"]["alerts"]) for each in policies]
    kinds.append(("alerts a day", short, [(a["per_day"], b["per_day"]) for a, b in alerts]))
    made = [
        Panel(heading, [
            Row(series, after, f"{number(round(before, 1))} to {number(round(after, 1))}",
                f"{policy['policy']}: {number(before)} in the open loop, {number(after)} closed",
                hollow=before)
            for series, (policy, (before, after)) in enumerate(zip(policies, values, strict=True))
        ], label)
        for heading, label, values in kinds
    ]  # fmt: skip
    title = "Open and closed loop"
    said = "; ".join(
        f"{each['policy']}: missed fraud {money(each['open']['missed_fraud'])} in the open loop,"
        f" {money(each['closed']['missed_fraud'])} in the closed one"
        for each in policies
    )
    note = (
        "Hollow is the open loop, where live decisions stay in the features of later payments;"
        " full is the closed one, where the policy's own take their place."
    )
    return figure(title, note, panels(title, said, made), legend((), dots=_named(policies)))


def _heading(name: str) -> str:
    said = words(name)
    return said if said.endswith("money") else f"{said}, money"


def _in_loops(policy: Told, name: str) -> tuple[float, float]:
    before, after = policy["open"][name], policy["closed"][name]
    return round(before / 100), round(after / 100)


def intervals(found: Told, policies: Sequence[tuple[int, Told]]) -> Markup:
    """Estimates of a baseline and a candidate beside what labels alone say.

    `policies` are both, in that order, each with the number of its colour.
    """
    both = list(zip((found["baseline"], found["candidate"]), policies, strict=True))
    made = [
        Panel(_heading(name),
              [_total(each[name], series, policy, name) for each, (series, policy) in both], short)
        for name in _ESTIMATED
    ]  # fmt: skip
    for name in ("precision", "recall"):
        rows = [
            _ratio(each[name], series, policy, name)
            for each, (series, policy) in both
            if each[name] is not None
        ]
        made += [Panel(name, rows, percent)] if rows else []
    title = "Unbiased estimates"
    said = "; ".join(row.said for panel in made for row in panel.rows)
    note = (
        "Full is the self-normalised estimate with its interval of 95 % by card; hollow is what"
        " the labels alone say, which know little of what was declined live."
    )
    named = [(series, policy["policy"]) for series, policy in policies]
    return figure(title, note, panels(title, said, made), legend((), dots=named))


def _total(found: Told, series: int, policy: Told, name: str) -> Row:
    kind = found["self_normalised"]
    value, (low, high) = kind["value"], kind["interval"]
    said = (
        f"{policy['policy']}: {words(name)} {money(value)}, {money(low)} to {money(high)};"
        f" by labels alone {money(policy[name])}"
    )
    return Row(
        series, value / 100, f"{money(low)} to {money(high)}", said, policy[name] / 100,
        (low / 100, high / 100),
    )  # fmt: skip


def _ratio(found: Told, series: int, policy: Told, name: str) -> Row:
    value, (low, high) = found["value"], found["interval"]
    said = (
        f"{policy['policy']}: {name} {share(value)}, {share(low)} to {share(high)};"
        f" by labels alone {share(policy[name])}"
    )
    return Row(series, value, f"{share(low)} to {share(high)}", said, policy[name], (low, high))


def messages(policies: Sequence[Told]) -> Markup | None:
    """By route, from the alerts that it takes to the messages that it sends; None without any."""
    made = []
    for name, rows in _by_route(policies):
        lines = [
            Row(series, float(each["messages"]),
                f"{each['alerts']:,} to {each['messages']:,}",
                f"{policy['policy']} by {name}: {each['alerts']:,} alerts, {each['messages']:,}"
                f" messages, {each['digests']:,} of them digests",
                hollow=float(each["alerts"]))
            for series, policy, each in rows
        ]  # fmt: skip
        made.append(Panel(name, lines, short, from_nothing=True))
    if not made:
        return None
    title = "Alerts, and messages that they become"
    said = "; ".join(row.said for panel in made for row in panel.rows)
    note = (
        "By route: hollow are the alerts that it takes, full the messages that it sends, each of"
        " them a page; where alerts are many, one digest stands for those that wait."
    )
    return figure(title, note, panels(title, said, made), legend((), dots=_named(policies)))


def delays(policies: Sequence[Told]) -> Markup | None:
    """By route how long alerts wait for their message; None where nothing is sent."""
    made = []
    for name, rows in _by_route(policies):
        lines = []
        for series, policy, each in rows:
            if (waited := each["waited_seconds"]) is None:
                continue
            middle, most, last = (waited[kind] for kind in ("median", "p99", "longest"))
            told = f"half after {span(middle)}, 99 % after {span(most)}, the last {span(last)}"
            lines.append(Row(series, middle, f"{span(middle)}, latest {span(last)}",
                             f"{policy['policy']} by {name}: {told}",
                             interval=(middle, last)))  # fmt: skip
        made += [Panel(name, lines, _seconds, from_nothing=True)] if lines else []
    if not made:
        return None
    title = "How late messages are"
    said = "; ".join(row.said for panel in made for row in panel.rows)
    note = "By route, from the raising of an alert to its message: the median, and the latest."
    return figure(title, note, panels(title, said, made), legend((), dots=_named(policies)))


def _seconds(value: float) -> str:
    return f"{value:g} s" if value < 600 else span(value)


def _by_route(policies: Sequence[Told]) -> list[tuple[str, list[tuple[int, Told, Told]]]]:
    found: dict[str, list[tuple[int, Told, Told]]] = {}
    for series, policy in enumerate(policies):
        for each in policy["delivery"]["routes"]:
            found.setdefault(each["route"], []).append((series, policy, each))
    return list(found.items())


def _named(policies: Sequence[Told]) -> list[tuple[int, str]]:
    return [(series, each["policy"]) for series, each in enumerate(policies)]
