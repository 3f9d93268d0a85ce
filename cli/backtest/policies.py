"""Backtest of policies: what they would have decided, beside a baseline, as text or JSON."""

from __future__ import annotations

import json
import time
from typing import Any

from cli.backtest.delivery import print_deliveries
from cli.backtest.feedback import show_closed_loop, show_estimates
from cli.backtest.options import Options, Outputs
from cli.backtest.reproduction import show_reproduction
from cli.interrupts import interruptible
from cli.output import print_table, progress_shown
from operations.backtest.reports.words import between, money, number, share, shown, words

_OF_POLICY = ("precision", "recall")
_OF_ALERTS = (
    *("per_day", "busiest_day", "suppressed", "cases_per_day", "cases_busiest_day"),
    *("analyst_hours_per_day", "frauds_per_analyst_hour"),
)


def try_policies(options: Options, outputs: Outputs) -> None:
    """Prints the figures, and writes what else is asked for."""
    from domain.errors import InvalidInputError
    from operations.backtest.policies.closed_loop.feedback import parse_blocking
    from operations.backtest.policies.figures import Load
    from operations.backtest.policies.policy import written
    from operations.backtest.policies.run import Asked, write_changed
    from operations.backtest.policies.sweep import parse_sweep
    from operations.backtest.reports.files import check_folder, write_report
    from operations.backtest.runs.recorded import Finished, run_backtest
    from runtime.composition.backtests import open_backtests
    from runtime.composition.models import list_cleaner
    from runtime.settings import load_settings

    changed, folder = outputs.changed, outputs.report
    if changed is not None and not changed.parent.is_dir():
        raise InvalidInputError("--changed", f"there is no folder {changed.parent}")
    if folder is not None:
        check_folder(folder)
    sweep = parse_sweep(options.sweep) if options.sweep else None
    block = parse_blocking(options.closed_loop) if options.closed_loop else None
    started = time.monotonic()
    settings = load_settings()

    def write(finished: Finished) -> None:
        if folder is not None:
            write_report(finished.made, finished.report, finished.fact, folder)
        if changed is not None:
            write_changed(finished.made, changed)

    with (
        open_backtests(settings, outputs.engine) as ports,
        progress_shown() as (say, count),
        interruptible("the same command"),
    ):
        clean = list_cleaner(settings.token_key)
        tried = [written(each, ports.language, clean) for each in options.policies]
        base = None
        if options.baseline is not None:
            base = written(options.baseline, ports.language, clean)
        asked = Asked(
            tried, options.first, options.last, options.model, base, sweep, Load(options.minutes),
            closed_loop=block, served=options.served,
        )  # fmt: skip
        done = run_backtest(
            ports, asked, write, say, count, anew=outputs.anew, record=outputs.record
        )
    seconds = round(time.monotonic() - started, 1)
    report = json.loads(done.report)
    if outputs.as_json:
        print(json.dumps({**report, "seconds": seconds}))
        return
    _print(report, seconds)
    for what, path in (("decisions that change", changed), ("report", folder)):
        if path is not None:
            print(f"{what}: {path}")
    if outputs.record:
        print(f"recorded; the same again: retrace backtest repeat {done.fact.backtest_id}")


def _print(report: dict[str, Any], seconds: float) -> None:
    print(
        f"{report['transactions']:,} transactions, {report['labelled']:,} labelled by now,"
        f" tried in {seconds} s"
    )
    show_reproduction(report)
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


def _rows(policies: list[dict[str, Any]]) -> list[list[str]]:
    rows = [
        [name, *(f"{each['decisions'][name]:,}" for each in policies)]
        for name in ("approve", "review", "step_up", "decline")
    ]
    rows += [[name, *(share(each[name]) for each in policies)] for name in _OF_POLICY]
    rows += [
        [f"{name}, {age}", *(share(each["by_maturity"][age][name]) for each in policies)]
        for age in policies[0]["by_maturity"]
        for name in _OF_POLICY
    ]
    rows += [
        [f"{words(name)} (money)", *(money(each[name]) for each in policies)]
        for name in ("caught_fraud", "missed_fraud", "genuine_declined_money")
    ]
    rows += [
        [f"alerts: {words(name)}", *(number(each["alerts"][name]) for each in policies)]
        for name in _OF_ALERTS
    ]
    codes = list(dict.fromkeys(code for each in policies for code in each["reasons"]))
    rows += [[code, *(f"{each['reasons'].get(code, 0):,}" for each in policies)] for code in codes]
    return rows


def _changes(made: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, interval in made["intervals"].items():
        show = shown(name)
        value = show(made[name]) if name in made else ""
        bounds = ["", ""] if interval is None else [show(each) for each in interval]
        rows.append([words(name), value, *bounds])
    return rows


def _segments(found: dict[str, dict[str, dict[str, int]]]) -> None:
    rows = [
        [f"{kind} {name}", *(f"{each[key]:,}" for key in ("transactions", "changed", "alerts")),
         *(money(each[key]) for key in ("saved", "lost", "genuine_declined_money"))]
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
             number(each["alerts_per_day"]), number(each["cases_per_day"]),
             money(each["missed_fraud"]),
             money(each["genuine_declined_money"]), share(each["precision"]),
             share(each["recall"]),
             *(between(each["forecast"][name]["interval"], show)
               for name, show in (("alerts_per_day", number), ("missed_fraud", money)))]
            for each in points
        ]  # fmt: skip
        titles = [
            "VALUE",
            "ALERTS A DAY",
            "CASES",
            "MISSED",
            "WRONGED",
            "PRECISION",
            "RECALL",
            "NEXT ALERTS",
            "NEXT MISSED",
        ]
        print_table(rows, titles, titles[1:])
