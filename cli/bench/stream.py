"""`retrace bench stream`: how fresh folded states are, what folding costs, and peers."""

from typing import Annotated, Any

import typer

from cli.bench.delivery import deliver
from cli.bench.options import (
    RATES,
    AsJson,
    History,
    Keep,
    Rates,
    Result,
    Rounds,
    RoundSeconds,
    WarmUp,
)


def stream(
    rate: Rates = None,
    seconds: RoundSeconds = 60.0,
    warm_up: WarmUp = 15.0,
    rounds: Rounds = 3,
    history: History = 30,
    peers: Annotated[
        bool, typer.Option(help="Plain Faust tables and PostgreSQL alone, on the same events.")
    ] = True,
    result: Result = "stream",
    keep: Keep = False,
    as_json: AsJson = False,
) -> None:
    """Send POST /score at fixed rates, and time until states in Redis hold what was appended.

    Everything runs in a state folder and on ports of its own, and is stopped at the end: a running
    stack is not touched. Leave the machine alone meanwhile.
    """
    from rich.console import Console

    from bench.live.stream import StreamLoad, bench_stream
    from local.stack.terminal import TerminalProgress

    load = StreamLoad(
        rates=rate or RATES,
        seconds=seconds,
        warm_up=warm_up,
        rounds=rounds,
        history=history,
        peers=peers,
    )
    found = bench_stream(load, TerminalProgress(Console(stderr=True)), keep)
    asked = {"seconds": seconds, "warm_up": warm_up, "history_days": history}
    deliver(result, {**asked, **found}, as_json, _show)


def _show(console: Any, found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("rate/s", "who", "fresh p50 ms", "p99", "max", "CPU ms", "of which servers"):
        table.add_column(name, justify="left" if name == "who" else "right")

    def row(rate: str, who: str, fresh: dict[str, float], cpu: float, servers: float) -> None:
        times = (f"{fresh.get(name, float('nan')):.1f}" for name in ("p50", "p99", "max"))
        table.add_row(f"{float(rate):g}", who, *times, f"{cpu:.2f}", f"{servers:.2f}")

    for rate, each in found["rates"].items():
        for one in each["rounds"]:
            costs = one["processor_ms_each"]
            apps = sum(
                cost for name, cost in costs.items() if name == "api" or name.startswith("worker-")
            )
            row(rate, "retrace", one["fresh_ms"], costs["all"], costs["all"] - apps)
        for who, one in found["peers"].get(rate, {}).items():
            servers = one["servers_ms_each"]["all"]
            times = one["milliseconds"]
            # Of a peer with several tables, the last that holds an event.
            fresh = times.get("merchant", times)
            row(rate, who.replace("_", " "), fresh, one["processor_ms_each"] + servers, servers)
    console.print(table)
