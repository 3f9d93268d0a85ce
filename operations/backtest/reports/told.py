"""What follows from decisions, in sentences and rows: closed loop, hidden labels, alerts by routes.

The screen and the page say the same. Cells are text, or None for what is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from operations.backtest.reports.words import MONEY, money, number, share, span, words

Told = Mapping[str, Any]

OUTCOMES = ("approve", "review", "step_up", "decline")
LOOPS = ("Open", "Closed", "Difference")
ESTIMATORS = {"Horvitz-Thompson": "horvitz_thompson", "Self-normalised": "self_normalised"}
ROUTES = (
    *("Route", "Alerts", "Messages", "Digests", "Median", "P99", "Latest"),
    *("Minute", "Hour", "Day"),
)
_QUALITY = ("precision", "recall", "missed_fraud", "caught_fraud", "genuine_declined_money")
_BLOCKED = {"card": "of its card", "payer": "of its payer"}
_SPANS = {"minute": "a minute", "hour": "an hour", "day": "a day"}


def feeding_back(loop: Told) -> str:
    return f"decisions feed back into {', '.join(loop['features']) or 'no feature'}"


def stopped(loop: Told) -> str | None:
    """None where known fraud stops nobody."""
    if loop["block"] not in _BLOCKED:
        return None
    found = loop["stopped"]
    return (
        f"{found['transactions']:,} payments ({money(found['money'])}) come after a known"
        f" fraud {_BLOCKED[loop['block']]}, are stopped and left out: {found['frauds']:,}"
        f" frauds ({money(found['fraud_money'])}), {found['genuine']:,} genuine"
    )


def other_decisions(policy: Told) -> str:
    return (
        f"{policy['other_decisions']:,} decisions are others in the closed"
        f" loop ({policy['decided_again']:,} made anew in {policy['rounds']} rounds)"
    )


def compared_in_loop(made: Told) -> str:
    return (
        f"{made['baseline']} against {made['candidate']} in the closed loop:"
        f" {made['changed']:,} decisions change, saved {money(made['saved'])},"
        f" lost {money(made['lost'])}, genuine declined {made['genuine_declined']:,}"
        f" ({money(made['genuine_declined_money'])}), alerts {made['alerts']:+,}"
    )


def loop_rows(policy: Told) -> list[list[str]]:
    """A name, then its value in LOOPS."""
    loops = policy["open"], policy["closed"], policy["difference"]
    rows = [[words(name), *(f"{loop['decisions'][name]:,}" for loop in loops)] for name in OUTCOMES]
    for name in _QUALITY:
        show = money if name in MONEY else share
        rows.append([words(name), *(show(loop[name]) for loop in loops)])
    return [*rows, ["alerts per day", *(number(loop["alerts"]["per_day"]) for loop in loops)]]


def hidden(apart: Told) -> list[str]:
    """What was declined live, and the quality of the rest."""
    freed, before = apart["candidate"], apart["baseline"]
    return [
        f"declined live: {apart['declined']:,} ({money(apart['declined_money'])}),"
        f" {apart['declined_labelled']:,} labelled; it would pass {freed['passed']:,}"
        f" ({money(freed['passed_money'])}), {freed['passed_labelled']:,} of them labelled",
        f"of all others: precision {share(before['precision'])} to {share(freed['precision'])},"
        f" recall {share(before['recall'])} to {share(freed['recall'])}",
    ]


def estimated(found: Told) -> list[str]:
    """What the estimates are from, or why there are none."""
    if found["refused"] is not None:
        return [f"no unbiased estimate: {found['refused']}"]
    explored = found["explored"]
    told = [
        f"unbiased estimates from {explored['passed']:,} explored payments"
        f" ({explored['passed_labelled']:,} labelled), which stand for {explored['reachable']:,}"
        f" of {explored['declined']:,} declined, with intervals of 95 % by card"
    ]
    if explored["freed_beyond_reach"]:
        told.append(
            f"{explored['freed_beyond_reach']:,} that it would pass could not be explored:"
            " nothing is said of them"
        )
    return told


def estimate_rows(found: Told, estimator: str) -> list[list[str]]:
    """Totals by one of ESTIMATORS: a name, value, and interval."""
    kind = ESTIMATORS[estimator]
    return [
        [f"{words(name)}, {who}", *_of(found[who][name][kind], _show(name))]
        for name in found["difference"]
        for who in ("baseline", "candidate", "difference")
    ]


def ratio_rows(found: Told) -> list[list[str]]:
    return [
        [f"{name}, {who}", *_of(found[who][name], share)]
        for name in ("precision", "recall")
        for who in ("baseline", "candidate")
    ]


def _show(name: str) -> Callable[[float], str]:
    return money if name in MONEY else number


def _of(found: Told | None, show: Callable[[Any], str]) -> list[str]:
    if found is None:
        return ["unknown", "", ""]
    return [show(found["value"]), *(show(each) for each in found["interval"])]


def delivered(policy: Told) -> str:
    found = policy["delivery"]
    most = ", ".join(f"{_most(found['busiest'], name)} in {said}" for name, said in _SPANS.items())
    routes = "" if found["routes"] else "; no route: nobody is told"
    return f"{policy['policy']}: {found['alerts']:,} alerts, at most {most}{routes}"


def route_rows(policy: Told) -> Iterator[list[str]]:
    """Columns of ROUTES."""
    for each in policy["delivery"]["routes"]:
        waited = each["waited_seconds"]
        late = [span(waited[n]) for n in ("median", "p99", "longest")] if waited else [""] * 3
        counts = [f"{each[name]:,}" for name in ("alerts", "messages", "digests")]
        yield [each["route"], *counts, *late, *(_most(each["busiest"], name) for name in _SPANS)]


def _most(busiest: Told, name: str) -> str:
    found = busiest[name]
    return f"{found['number']:,}" if found else "0"
