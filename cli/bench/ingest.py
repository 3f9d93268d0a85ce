"""`retrace bench ingest`: an import with everything running, and what live decisions keep."""

from typing import Annotated, Any

import typer

from cli.bench.delivery import deliver
from cli.bench.options import AsJson, History, Keep, Result


def ingest(
    rows: Annotated[int, typer.Option(min=1_000, help="Payments of the file.")] = 200_000,
    rate: Annotated[
        float, typer.Option(min=1, max=1000, help="Decisions per second beside the import.")
    ] = 10.0,
    seconds: Annotated[
        float, typer.Option(min=1, help="Length of the part before the import.")
    ] = 30.0,
    history: History = 10,
    result: Result = "ingest_live",
    keep: Keep = False,
    as_json: AsJson = False,
) -> None:
    """Import a simulated file while decisions are made at a low rate, until all is projected.

    Everything runs in a state folder and on ports of its own, and is stopped at the end: a running
    stack is not touched. Leave the machine alone meanwhile.
    """
    from rich.console import Console

    from bench.live.ingest import IngestLoad, bench_ingest
    from local.stack.terminal import TerminalProgress

    load = IngestLoad(rows=rows, rate=rate, seconds=seconds, history=history)
    found = bench_ingest(load, TerminalProgress(Console(stderr=True)), keep)
    deliver(result, {"rate": rate, "history_days": history, **found}, as_json, _show)


def _show(console: Any, found: dict[str, Any]) -> None:
    from rich.table import Table

    floor = found["floors"]["plain_producer"]
    console.print(
        f"{found['rows']:,} rows in {found['seconds']:.1f} s: {found['rows_per_second']:,.0f}/s "
        f"(a plain producer: {floor['records_per_second']:,}/s of {floor['bytes_each']:,} bytes)"
    )
    table = Table(box=None, pad_edge=False)
    for name in ("decisions", "p50 ms", "p99", "max", "by model", "failed"):
        table.add_column(name, justify="left" if name == "decisions" else "right")
    for part, each in found["decisions"].items():
        took = each["milliseconds"]
        table.add_row(
            part.replace("_", " "),
            *(f"{took.get(name, float('nan')):.1f}" for name in ("p50", "p99", "max")),
            f"{each['by_the_model']:.2%}",
            str(sum(each["failed"].values())),
        )
    console.print(table)
    console.print(
        f"p99 beside the import: {found['decisions_p99_to_idle']:.2f} of idle; processor per row: "
        f"{found['command_processor_us_each']:.0f} us by the command, "
        f"{found['processor_ms_each']['all'] * 1e3:.0f} us by all services"
    )
    reached = sorted(found["seconds_until_projected"].items(), key=lambda entry: entry[1])
    console.print("Projected: " + ", ".join(f"{name} +{seconds:g} s" for name, seconds in reached))
