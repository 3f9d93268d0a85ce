"""What a policy's decisions lead to, as text: the closed loop, censored labels and estimates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cli.output import print_table
from operations.backtest.reports.words import money, number, share, words

_MONEY = ("missed_fraud", "caught_fraud", "genuine_declined_money")
_OUTCOMES = ("approve", "review", "step_up", "decline")
_SHOWN = ("precision", "recall", *_MONEY)
_ESTIMATORS = {"HORVITZ-THOMPSON": "horvitz_thompson", "SELF-NORMALISED": "self_normalised"}
_BLOCKED = {"card": "of its card", "payer": "of its payer"}


def show_closed_loop(found: dict[str, Any]) -> None:
    """Of each policy the open loop, the closed one, and the difference."""
    stopped = found["stopped"]
    print(f"\nclosed loop: decisions feed back into {', '.join(found['features']) or 'no feature'}")
    if found["block"] in _BLOCKED:
        print(
            f"  {stopped['transactions']:,} payments ({money(stopped['money'])}) come after a known"
            f" fraud {_BLOCKED[found['block']]}, are stopped and left out: {stopped['frauds']:,}"
            f" frauds ({money(stopped['fraud_money'])}), {stopped['genuine']:,} genuine"
        )
    for each in found["policies"]:
        print(
            f"\n{each['policy']}: {each['other_decisions']:,} decisions are others in the closed"
            f" loop ({each['decided_again']:,} made anew in {each['rounds']} rounds)"
        )
        print_table(
            _loops(each), ["", "OPEN", "CLOSED", "DIFFERENCE"], ["OPEN", "CLOSED", "DIFFERENCE"]
        )
    for each in found["compared"]:
        print(
            f"\n{each['baseline']} against {each['candidate']} in the closed loop:"
            f" {each['changed']:,} decisions change, saved {money(each['saved'])},"
            f" lost {money(each['lost'])}, genuine declined {each['genuine_declined']:,}"
            f" ({money(each['genuine_declined_money'])}), alerts {each['alerts']:+,}"
        )


def _loops(each: dict[str, Any]) -> list[list[str]]:
    loops = each["open"], each["closed"], each["difference"]
    rows = [[name, *(f"{loop['decisions'][name]:,}" for loop in loops)] for name in _OUTCOMES]
    for name in _SHOWN:
        show = money if name in _MONEY else share
        rows.append([words(name), *(show(loop[name]) for loop in loops)])
    return [*rows, ["alerts per day", *(number(loop["alerts"]["per_day"]) for loop in loops)]]


def show_estimates(apart: dict[str, Any], found: dict[str, Any]) -> None:
    """What is censored, and what exploration tells of it."""
    freed, before = apart["candidate"], apart["baseline"]
    print(
        f"  declined live: {apart['declined']:,} ({money(apart['declined_money'])}),"
        f" {apart['declined_labelled']:,} labelled; it would pass {freed['passed']:,}"
        f" ({money(freed['passed_money'])}), {freed['passed_labelled']:,} of them labelled"
    )
    print(
        f"  of all others: precision {share(before['precision'])} to {share(freed['precision'])},"
        f" recall {share(before['recall'])} to {share(freed['recall'])}"
    )
    if found["refused"] is not None:
        print(f"  no unbiased estimate: {found['refused']}")
        return
    explored = found["explored"]
    print(
        f"  unbiased estimates from {explored['passed']:,} explored payments"
        f" ({explored['passed_labelled']:,} labelled), which stand for {explored['reachable']:,}"
        f" of {explored['declined']:,} declined, with intervals of 95 % by card"
    )
    if explored["freed_beyond_reach"]:
        print(
            f"  {explored['freed_beyond_reach']:,} that it would pass could not be explored:"
            " nothing is said of them"
        )
    for title, kind in _ESTIMATORS.items():
        rows = [
            [f"{words(name)}, {who}", *_of(found[who][name][kind], _show(name))]
            for name in found["difference"]
            for who in ("baseline", "candidate", "difference")
        ]
        print_table(rows, ["", title, "FROM", "TO"], [title, "FROM", "TO"])
    rows = [
        [f"{name}, {who}", *_of(found[who][name], share)]
        for name in ("precision", "recall")
        for who in ("baseline", "candidate")
    ]
    print_table(rows, ["", "RATIO", "FROM", "TO"], ["RATIO", "FROM", "TO"])


def _show(name: str) -> Callable[[float], str]:
    return money if name in _MONEY else number


def _of(found: dict[str, Any] | None, show: Callable[[Any], str]) -> list[str]:
    if found is None:
        return ["unknown", "", ""]
    return [show(found["value"]), *(show(each) for each in found["interval"])]
