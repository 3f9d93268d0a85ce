"""`retrace simulate-faults`: the product over simulated servers, under faults chosen by seeds."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from domain.errors import InvalidInputError

if TYPE_CHECKING:
    from faults.simulate import Summary

_SHOWN_FINDINGS = 5


def simulate_faults(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to run.")] = 100,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Run this seed alone, or begin with it.")
    ] = None,
    schedule: Annotated[
        list[str] | None, typer.Option(help="Of this name alone; may be given more than once.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Show the schedules, and end.")] = False,
) -> None:
    """Run the real processes over simulated servers, under faults, and audit what is left.

    A seed chooses what is sent, which process goes on, how long each call takes and which faults
    come when; the same schedule and seed give the same run. Exit status 1 where one finds a fault.
    """
    from faults.schedules.table import SCHEDULES
    from faults.simulate import simulate

    console = Console(highlight=False, soft_wrap=True)
    if show:
        _list(console)
        return
    for name in schedule or ():
        if name not in SCHEDULES:
            raise InvalidInputError("--schedule", f"no schedule is named {name}: --list shows them")
    alone = seed is not None and seeds == 100
    progress = Console(stderr=True)
    with progress.status("") as status:

        def tell(summary: "Summary") -> None:
            status.update(f"{summary.seeds.total()} seeds run, {len(summary.wrong)} found wrong")

        summary = simulate(
            schedule or list(SCHEDULES), 1 if seed is None else seed, 1 if alone else seeds, tell
        )
    _report(console, summary)
    if summary.wrong:
        sys.exit(1)


def _list(console: Console) -> None:
    from faults.schedules.table import SCHEDULES

    table = Table(box=None, pad_edge=False)
    for column in ("schedule", "what happens"):
        table.add_column(column)
    for each in SCHEDULES.values():
        table.add_row(each.name, each.about)
    console.print(table)


def _report(console: Console, summary: "Summary") -> None:
    hours, runs = summary.seconds / 3600, summary.seeds.total()
    console.print(f"{runs} seeds run: {hours:.1f} hours of operation, {summary.steps} steps")
    met = sorted((kind, count) for kind, count in summary.met.items() if count)
    console.print("faults met: " + ", ".join(f"{kind} {count}" for kind, count in met))
    for outcome in summary.wrong:
        again = f"--schedule {outcome.schedule} --seed {outcome.seed}"
        console.print(f"WRONG: retrace simulate-faults {again}")
        for finding in outcome.findings[:_SHOWN_FINDINGS]:
            console.print(f"  {finding.check}: {finding.what}")
        if (left := len(outcome.findings) - _SHOWN_FINDINGS) > 0:
            console.print(f"  and {left} more")
    if not summary.wrong:
        console.print("lost 0, doubled 0, wrong 0")
