"""`retrace chaos`: real servers and processes under faults, and the audit of what is left."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from domain.errors import InvalidInputError

if TYPE_CHECKING:
    from local.chaos.run import Report, Tried

_SHOWN_FINDINGS, _SHOWN_AT_ONCE = 10, 3
_HARMS = ("lost", "doubled", "wrong")


def chaos(
    fault: Annotated[
        list[str] | None, typer.Option(help="This fault alone; may be given more than once.")
    ] = None,
    rate: Annotated[float, typer.Option(min=1, max=500, help="Payments per second.")] = 15.0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the state folder and its logs at the end.")
    ] = False,
    show: Annotated[bool, typer.Option("--list", help="Show the faults, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Break real servers and processes under load, and audit all stores after each fault.

    Everything runs in a state folder and on ports of its own, and is stopped at the end: a running
    stack is not touched. Exit status 1 where something is lost, doubled or wrong, or where the
    installation does not recover.
    """
    from local.chaos.faults import FAULTS
    from local.chaos.run import run_chaos
    from local.stack.terminal import TerminalProgress

    console, progress = Console(highlight=False, soft_wrap=True), Console(stderr=True)
    if show:
        _list(console)
        return
    for name in fault or ():
        if name not in FAULTS:
            raise InvalidInputError("--fault", f"no fault is named {name}: --list shows them")

    def tell(tried: "Tried") -> None:
        times = f"answers after {_seconds(tried.answers)}, at rest after {_seconds(tried.rest)}"
        progress.print(f"{tried.fault}: {times}, {len(tried.findings)} found wrong")
        for found in tried.findings[:_SHOWN_AT_ONCE]:
            progress.print(f"  {found.check}: {found.what}")

    chosen = [FAULTS[name] for name in fault or FAULTS]
    report = run_chaos(chosen, rate, TerminalProgress(progress), tell, keep)
    if as_json:
        typer.echo(json.dumps(_to_json(report)))
    else:
        _report(console, report)
    if not report.passed:
        sys.exit(1)


def _list(console: Console) -> None:
    from local.chaos.faults import FAULTS

    table = Table(box=None, pad_edge=False)
    for column in ("fault", "what happens"):
        table.add_column(column)
    for each in FAULTS.values():
        table.add_row(each.name, each.about)
    console.print(table)


def _report(console: Console, report: "Report") -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("fault")
    for column in ("answers after", "at rest after", *_HARMS):
        table.add_column(column, justify="right")
    for each in report.tried:
        harms = [str(sum(found.harm == harm for found in each.findings)) for harm in _HARMS]
        table.add_row(each.fault, _seconds(each.answers), _seconds(each.rest), *harms)
    console.print(table)
    for finding in report.findings[:_SHOWN_FINDINGS]:
        console.print(f"{finding.harm}: {finding.check}: {finding.what}", markup=False)
    if (left := len(report.findings) - _SHOWN_FINDINGS) > 0:
        console.print(f"and {left} more")
    console.print(
        f"{report.transactions} transactions and {report.told} answers compared, "
        f"{report.unavailable} requests asked again"
    )
    console.print(", ".join(f"{harm} {report.count(harm)}" for harm in _HARMS))
    if report.proof is not None:
        values, different = report.proof.values, report.proof.different
        console.print(f"features verify: compared {values}, different {different}")


def _to_json(report: "Report") -> dict[str, Any]:
    return {
        "faults": [
            {"fault": each.fault, "answers_seconds": each.answers, "rest_seconds": each.rest}
            for each in report.tried
        ],
        "transactions": report.transactions,
        "answers": report.told,
        **{harm: report.count(harm) for harm in _HARMS},
        "findings": [[each.harm, each.check, each.what] for each in report.findings],
        "compared": report.proof.values if report.proof else None,
        "different": report.proof.different if report.proof else None,
        "passed": report.passed,
    }


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"
