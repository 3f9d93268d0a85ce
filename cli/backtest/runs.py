"""`retrace backtest list` and `repeat`: runs that were recorded, and the same again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.interrupts import interruptible
from cli.output import print_table, progress_shown


def register(group: typer.Typer) -> None:
    """Adds both to the group of backtests."""
    group.command("list")(list_runs)
    group.command()(repeat)


def list_runs(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List recorded backtests of policies, the newest first."""
    from commands.backtests import recorded_backtests
    from domain.times import to_rfc3339
    from runtime.composition.log import open_log
    from runtime.settings import load_settings

    with open_log(load_settings()) as log:
        found = list(reversed(recorded_backtests(log)))
    if as_json:
        told = [asdict(each.fact) | {"recorded_at": to_rfc3339(each.known_time)} for each in found]
        print(json.dumps(told))
        return
    rows = [
        [
            each.fact.backtest_id,
            to_rfc3339(each.known_time)[:16],
            to_rfc3339(each.fact.begin)[:10],
            to_rfc3339(each.fact.end)[:10],
            f"{each.fact.transactions:,}",
            ", ".join(Path(tried.name).name for tried in each.fact.candidates),
        ]
        for each in found
    ]
    print_table(rows, ["ID", "RECORDED", "FROM", "TO", "PAYMENTS", "POLICIES"], ["PAYMENTS"])


def repeat(
    named: Annotated[
        str, typer.Argument(metavar="ID", help="Of a recorded backtest, or the beginning of it.")
    ],
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the report again.")
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="local|dask", help="What lays down features.")
    ] = "local",
) -> None:
    """Run a backtest again from its record: the log, policy, labels and models as they were.

    Exits with 1 where the figures are not those of then, byte for byte.
    """
    from operations.backtest.reports.files import check_folder, write_report
    from operations.backtest.runs.recorded import Finished, repeat_backtest
    from runtime.composition.backtests import open_backtests
    from runtime.settings import load_settings

    if report is not None:
        check_folder(report)

    def write(finished: Finished) -> None:
        if report is not None:
            write_report(finished.made, finished.report, finished.fact, report)

    with (
        open_backtests(load_settings(), engine) as ports,
        progress_shown() as (say, count),
        interruptible("the same command"),
    ):
        done = repeat_backtest(ports, named, write, say, count)
    fact = done.finished.fact
    print(f"{fact.backtest_id}, {fact.transactions:,} transactions: "
          f"{'identical' if done.identical else 'different'}")  # fmt: skip
    for each in done.others:
        print(f"  {each}")
    if not done.identical:
        raise typer.Exit(1)
