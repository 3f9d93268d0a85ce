"""`retrace transactions` show and step-up."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.api_calls import asked
from cli.output import print_result

_group = typer.Typer(help="Show a payment, and tell how its step-up ended.", no_args_is_help=True)
_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
_Id = Annotated[str, typer.Argument(metavar="TRANSACTION", help="Its id.")]


def register(app: typer.Typer) -> None:
    """Adds the command group to the app."""
    app.add_typer(_group, name="transactions")


@_group.command()
def show(transaction_id: _Id, as_json: _AsJson = False) -> None:
    """Show what the log holds of a payment."""
    found = asked("GET", _path(transaction_id), "transactions")
    if as_json:
        print(json.dumps(found))
        return
    paid = found["transaction"]
    print(f"{transaction_id}: {paid['amount']} {paid['currency']}, {found['status']}")
    if decision := found["decision"]:
        print(f"{decision['outcome']} at {decision['score']:.3f}, {decision['decided_at']}")
        for reason in decision["reasons"]:
            print(f"  {reason['text']}")
    if ended := found["step_up"]:
        by = " ".join(filter(None, (ended["reporter"], ended["reference"])))
        print(f"step-up {ended['result']}: {ended['final_outcome']}, {ended['ended_at']} ({by})")


@_group.command("step-up")
def step_up(
    transaction_id: _Id,
    result: Annotated[str, typer.Argument(help="passed, failed or abandoned")],
    reporter: Annotated[str, typer.Option("--by", help="Who says so.")] = "cli",
    reference: Annotated[
        str | None, typer.Option("--reference", help="The reporter's own.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When it ended.", show_default="now")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Tell how a step-up ended: passed approves the payment, failed and abandoned decline it."""
    body: dict[str, Any] = {"result": result, "reporter": reporter}
    body |= {"reference": reference} if reference is not None else {}
    body |= {"timestamp": at} if at is not None else {}
    receipt = asked("POST", f"{_path(transaction_id)}/step-up", "step-up", json=body)
    text = f"{transaction_id}: {result}, {receipt['status']}; {receipt['final_outcome']}"
    print_result(receipt, text, as_json)


def _path(transaction_id: str) -> str:
    return f"/transactions/{quote(transaction_id, safe='')}"
