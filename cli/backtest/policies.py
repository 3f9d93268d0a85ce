"""Backtest of policies: what they would have decided, beside a baseline, as text or JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from cli.backtest.delivery import print_deliveries
from cli.backtest.feedback import show_closed_loop, show_estimates
from cli.backtest.formats import money as _money
from cli.backtest.formats import number as _number
from cli.backtest.formats import share as _share
from cli.backtest.formats import words as _words
from cli.backtest.options import Options
from cli.output import print_table, progress_shown

_OF_POLICY = ("precision", "recall")
_OF_ALERTS = (
    *("per_day", "busiest_day", "suppressed", "cases_per_day", "cases_busiest_day"),
    *("analyst_hours_per_day", "frauds_per_analyst_hour"),
)


def try_policies(options: Options, changed: Path | None, as_json: bool) -> None:
    """Prints the report, and writes the decisions that change to `changed`, where it is given."""
    from domain.errors import InvalidInputError
    from operations.backtest.policies.closed_loop.feedback import parse_blocking
    from operations.backtest.policies.figures import Load
    from operations.backtest.policies.run import Asked, backtest_policies, write_changed
    from operations.backtest.policies.sweep import parse_sweep
    from runtime.composition.history import open_history
    from runtime.composition.models import list_cleaner, open_models, rule_language
    from runtime.settings import load_settings

    if changed is not None and not changed.parent.is_dir():
        raise InvalidInputError("--changed", f"there is no folder {changed.parent}")
    block = parse_blocking(options.closed_loop) if options.closed_loop else None
    sweep = parse_sweep(options.sweep) if options.sweep else None
    asked = Asked(
        options.policies, options.first, options.last, options.model, options.baseline,
        sweep, Load(options.minutes), block,
    )  # fmt: skip
    started = time.monotonic()
    settings = load_settings()
    with (
        open_models(settings) as models,
        open_history(settings) as (_, history),
        progress_shown() as (say, count),
    ):
        clean = list_cleaner(settings.token_key)
        made = backtest_policies(models, history, rule_language(), clean, asked, say, count)
    if changed is not None:
        write_changed(made, changed)
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        print(json.dumps({**made.report, "seconds": seconds}))
    else:
        _print(made.report, seconds, changed)


def _print(report: dict[str, Any], seconds: float, changed: Path | None) -> None:
    print(
        f"{report['transactions']:,} transactions, {report['labelled']:,} labelled by now,"
        f" tried in {seconds} s"
    )
    policies = [report["baseline"], *report["candidates"]]
    names = ["", *(each["policy"] for each in policies)]
    print_table(_rows(policies), names, names[1:])
    print_deliveries(policies)
    for each, apart, estimated in zip(
        report["compared"], report["apart"], report["estimates"], strict=True
    ):
        print(f"\n{each['baseline']} against {each['candidate']}, with intervals of 95 % by card")
        print_table(_changes(each), ["", "", "FROM", "TO"], ["", "FROM", "TO"])
        moves = ", ".join(f"{number:,} {name}" for name, number in each["moves"].items())
        print(f"  {moves or 'no decision changes'}")
        _segments(each["segments"])
        show_estimates(apart, estimated)
    if "closed_loop" in report:
        show_closed_loop(report["closed_loop"])
    if "sweep" in report:
        _sweep(report["sweep"])
    if changed is not None:
        print(f"decisions that change: {changed}")


def _rows(policies: list[dict[str, Any]]) -> list[list[str]]:
    rows = [
        [name, *(f"{each['decisions'][name]:,}" for each in policies)]
        for name in ("approve", "review", "step_up", "decline")
    ]
    rows += [[name, *(_share(each[name]) for each in policies)] for name in _OF_POLICY]
    rows += [
        [f"{name}, {age}", *(_share(each["by_maturity"][age][name]) for each in policies)]
        for age in policies[0]["by_maturity"]
        for name in _OF_POLICY
    ]
    rows += [
        [f"{_words(name)} (money)", *(_money(each[name]) for each in policies)]
        for name in ("caught_fraud", "missed_fraud", "genuine_declined_money")
    ]
    rows += [
        [f"alerts: {_words(name)}", *(_number(each["alerts"][name]) for each in policies)]
        for name in _OF_ALERTS
    ]
    codes = list(dict.fromkeys(code for each in policies for code in each["reasons"]))
    rows += [[code, *(f"{each['reasons'].get(code, 0):,}" for each in policies)] for code in codes]
    return rows


def _changes(made: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, interval in made["intervals"].items():
        is_money = name in ("saved", "lost", "genuine_declined_money")
        show = (
            _money if is_money else _share if "precision" in name or "recall" in name else _number
        )
        value = show(made[name]) if name in made else ""
        bounds = ["", ""] if interval is None else [show(each) for each in interval]
        rows.append([_words(name), value, *bounds])
    return rows


def _segments(found: dict[str, dict[str, dict[str, int]]]) -> None:
    rows = [
        [f"{kind} {name}", *(f"{each[key]:,}" for key in ("transactions", "changed", "alerts")),
         *(_money(each[key]) for key in ("saved", "lost", "genuine_declined_money"))]
        for kind, by_name in found.items()
        for name, each in by_name.items()
        if each["changed"]
    ]  # fmt: skip
    if rows:
        titles = ["SEGMENT", "PAYMENTS", "CHANGED", "ALERTS", "SAVED", "LOST", "WRONGED"]
        print_table(rows, titles, titles[1:])


def _sweep(found: dict[str, Any]) -> None:
    for name, points in found["points"].items():
        print(f"\n{name}, {found['parameter']}; * has less loss than any with no more alerts")
        rows = [
            [f"{each['value']:g}{' *' if each['frontier'] else ''}",
             _number(each["alerts_per_day"]), _number(each["cases_per_day"]),
             _money(each["missed_fraud"]),
             _money(each["genuine_declined_money"]), _share(each["precision"]),
             _share(each["recall"])]
            for each in points
        ]  # fmt: skip
        titles = ["VALUE", "ALERTS A DAY", "CASES", "MISSED", "WRONGED", "PRECISION", "RECALL"]
        print_table(rows, titles, titles[1:])
