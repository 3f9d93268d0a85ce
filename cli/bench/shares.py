"""`retrace bench shares`: several API processes on the same servers, each with its share."""

from typing import Annotated, Any

import typer

from cli.bench.delivery import deliver
from cli.bench.options import AsJson, History, Keep, Result, Rounds, RoundSeconds, WarmUp


def shares(
    apis: Annotated[
        list[int] | None,
        typer.Option(min=1, max=8, help="API processes. Repeatable. [default: 1, 2, 4]"),
    ] = None,
    rate: Annotated[
        float, typer.Option(min=1, max=5000, help="Requests per second, of all together.")
    ] = 100.0,
    seconds: RoundSeconds = 30.0,
    warm_up: WarmUp = 10.0,
    rounds: Rounds = 2,
    history: History = 2,
    result: Result = "shares",
    keep: Keep = False,
    as_json: AsJson = False,
) -> None:
    """Send POST /score to several API processes in turn, and count what each reads of the log.

    Everything runs in a state folder and on ports of its own, and is stopped at the end: a running
    stack is not touched. Leave the machine alone meanwhile.
    """
    from rich.console import Console

    from bench.live.shares import SharedLoad, bench_shares
    from local.stack.terminal import TerminalProgress

    load = SharedLoad(
        apis=apis or [1, 2, 4],
        rate=rate,
        seconds=seconds,
        warm_up=warm_up,
        rounds=rounds,
        history=history,
    )
    found = bench_shares(load, TerminalProgress(Console(stderr=True)), keep)
    asked = {"seconds": seconds, "warm_up": warm_up, "history_days": history}
    deliver(result, {**asked, **found}, as_json, _show)


def _show(console: Any, found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("APIs", "p50 ms", "p99", "by model", "failed", "CPU ms", "of APIs", "shares read"):
        table.add_column(name, justify="right")
    for apis, each in found["apis"].items():
        for one in each["rounds"]:
            took = one["milliseconds"]
            table.add_row(
                apis,
                *(f"{took.get(name, float('nan')):.1f}" for name in ("p50", "p99")),
                f"{one['by_the_model']:.2%}",
                str(sum(one["failed"].values())),
                f"{one['processor_ms_each']['all']:.2f}",
                f"{one['apis_ms_each']:.2f}",
                " ".join(f"{share:.3f}" for share in one["share_read"]),
            )
    console.print(table)
