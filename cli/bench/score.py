"""`retrace bench score`: what this machine carries, beside floors measured in the same run."""

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


def score(
    rate: Rates = None,
    seconds: RoundSeconds = 60.0,
    warm_up: WarmUp = 15.0,
    rounds: Rounds = 3,
    history: History = 30,
    profile: Annotated[
        bool, typer.Option("--profile", help="One more round at each rate, measured step by step.")
    ] = False,
    default_policy: Annotated[
        bool, typer.Option("--default-policy", help="Each round again, with the policy that ships.")
    ] = False,
    result: Result = "score",
    keep: Keep = False,
    as_json: AsJson = False,
) -> None:
    """Send POST /score at fixed rates, whatever the answers do, and time from when each was due.

    Everything runs in a state folder and on ports of its own, and is stopped at the end: a running
    stack is not touched. Leave the machine alone meanwhile.
    """
    from rich.console import Console

    from bench.live.score import ScoreLoad, bench_score
    from local.stack.terminal import TerminalProgress

    load = ScoreLoad(
        rates=rate or RATES,
        seconds=seconds,
        warm_up=warm_up,
        rounds=rounds,
        history=history,
        profile=profile,
        default_policy=default_policy,
    )
    found = bench_score(load, TerminalProgress(Console(stderr=True)), keep)
    asked = {"seconds": seconds, "warm_up": warm_up, "history_days": history}
    deliver(result, {**asked, **found}, as_json, _show)


def _show(console: Any, found: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("rate/s", "p50 ms", "p99", "max", "by model", "failed", "CPU ms", "projected"):
        table.add_column(name, justify="right")
    for rate, each in found["rates"].items():
        for one in [*each["rounds"], *each.get("default_policy", {}).get("rounds", [])]:
            took = one["milliseconds"]
            table.add_row(
                f"{float(rate):g}",
                *(f"{took.get(name, float('nan')):.1f}" for name in ("p50", "p99", "max")),
                f"{one['by_the_model']:.2%}",
                str(sum(one["failed"].values())),
                f"{one['processor_ms_each']['all']:.1f}",
                f"+{one['seconds_until_projected']:g} s",
            )
    console.print(table)
    for rate, each in found["rates"].items():
        if with_policy := each.get("default_policy"):
            console.print(
                f"With the default policy (the last rounds at {float(rate):g}/s) a decision takes "
                f"{with_policy['all_to_without']:.3f} of the processor time without, and "
                f"{with_policy['api_to_without']:.3f} in the API."
            )
    if "profile" in found:
        _show_steps(console, found["profile"])
    least = found["floors"]
    console.print(
        f"Floors: append {least['kafka_append_ms']['p50']:.2f} ms, "
        f"Redis {least['redis_round_trip_ms']['p50']:.3f} ms, empty route "
        + ", ".join(
            f"{each['milliseconds']['p50']:.2f} ms at {float(rate):g}/s"
            for rate, each in least["empty_route"].items()
        )
    )


def _show_steps(console: Any, found: dict[str, Any]) -> None:
    from rich.table import Table

    for rate, each in found["rates"].items():
        table = Table(box=None, pad_edge=False)
        table.add_column(f"step at {float(rate):g}/s, us")
        for name in ("wall p50", "p99", "CPU p50", "p99", "mean"):
            table.add_column(name, justify="right")
        for step, times in each["steps"].items():
            wall, cpu = times["wall_us"], times["cpu_us"]
            figures = (*(wall.get(name) for name in ("p50", "p99")),
                       *(cpu.get(name) for name in ("p50", "p99", "mean")))  # fmt: skip
            table.add_row(step, *("-" if one is None else f"{one:,.0f}" for one in figures))
        console.print(table)
        console.print(
            f"Beside the steps the process takes {each['beside_us_each']:,.0f} us of a processor "
            f"for each request; measuring a step takes {found['step_cost_us']:.1f} us."
        )
