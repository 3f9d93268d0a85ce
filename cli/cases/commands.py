"""`retrace cases`: the queue of cases, one of them, and what is done about it, over the API."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from cli.api_calls import asked
from cli.output import print_result, print_table

_group = typer.Typer(help="Work off the alerts of each payer, as cases.")
_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
_Case = Annotated[str, typer.Argument(metavar="CASE")]
_Request = Annotated[str, typer.Argument(metavar="REQUEST", help="As `show` names it.")]
_By = Annotated[str, typer.Option("--by", help="Who does it.")]
_Note = Annotated[str | None, typer.Option("--note", help="What the history is to say.")]


def register(app: typer.Typer) -> None:
    """Adds the command group to the app."""
    app.add_typer(_group, name="cases")


@_group.command("list")
def list_cases(
    state: Annotated[str | None, typer.Option("--state", help="Only cases in this state.")] = None,
    done: Annotated[bool, typer.Option("--done", help="Those that are done.")] = False,
    assignee: Annotated[str | None, typer.Option("--assignee")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)] = 20,
    as_json: _AsJson = False,
) -> None:
    """Show the cases to work off; what is due first comes first."""
    wanted = {"state": state, "done": done or None, "assignee": assignee, "limit": limit}
    page = asked(
        "GET", "/cases", "cases", params={k: v for k, v in wanted.items() if v is not None}
    )
    if as_json:
        print(json.dumps(page))
        return
    if not page["items"]:
        print("No cases.")
        return
    titles = ["case", "priority", "state", "due (UTC)", "alerts", "expected loss", "payer", "for"]
    print_table([_row(each) for each in page["items"]], titles, ("alerts", "expected loss"))


@_group.command()
def show(case_id: _Case, as_json: _AsJson = False) -> None:
    """Show a case with its alerts and its history."""
    found = asked("GET", f"/cases/{case_id}", "cases")
    if as_json:
        print(json.dumps(found))
        return
    print(f"{found['case_id']}: {found['payer_kind']} {found['payer_id']}, {found['state']}")
    print(f"priority {found['priority']}, due {_short(found['due_at'])}\n")
    rows = [
        [each["transaction_id"], _short(each["raised_at"]), each["outcome"],
         f"{each['score']:.3f}", f"{each['amount']} {each['currency']}",
         "\n".join(reason["text"] for reason in each["reasons"])]
        for each in found["alerts_raised"]
    ]  # fmt: skip
    print_table(rows, ["transaction", "raised (UTC)", "outcome", "score", "amount", "why"])
    for each in found["history"]:
        about = " ".join(filter(None, (each["verdict"], each["to"] and f"to {each['to']}")))
        note = f": {each['note']}" if each["note"] else ""
        what = f"asks for {each['wanted']}" if each["wanted"] else each["action"]
        by = each["by"] + (f" and {each['approved_by']}" if each["approved_by"] else "")
        print(f"{_short(each['at'])} {by}: {what} {about}".rstrip() + note)
    for request in _waiting(found["history"]):
        print(f"waits for another person: {request}")


@_group.command()
def assign(
    case_id: _Case, to: Annotated[str, typer.Option("--to")], by: _By, note: _Note = None,
    as_json: _AsJson = False,
) -> None:  # fmt: skip
    """Give a case to somebody."""
    _handled(case_id, as_json, action="assign", by=by, to=to, note=note)


@_group.command()
def acknowledge(case_id: _Case, by: _By, note: _Note = None, as_json: _AsJson = False) -> None:
    """Say that somebody looks at a case."""
    _handled(case_id, as_json, action="acknowledge", by=by, note=note)


@_group.command()
def escalate(
    case_id: _Case, to: Annotated[str, typer.Option("--to")], by: _By, note: _Note = None,
    as_json: _AsJson = False,
) -> None:  # fmt: skip
    """Ask somebody else to decide."""
    _handled(case_id, as_json, action="escalate", by=by, to=to, note=note)


@_group.command()
def note(
    case_id: _Case, text: Annotated[str, typer.Argument(metavar="TEXT")], by: _By,
    as_json: _AsJson = False,
) -> None:  # fmt: skip
    """Add to the history of a case."""
    _handled(case_id, as_json, action="note", by=by, note=text)


@_group.command()
def dispose(
    case_id: _Case,
    verdict: Annotated[str, typer.Argument(help="fraud, genuine or undetermined")],
    by: _By,
    transaction: Annotated[
        list[str] | None, typer.Option("--transaction", help="Only these payments of the case.")
    ] = None,
    note: _Note = None,
    as_json: _AsJson = False,
) -> None:
    """Say what it was; fraud and genuine label the payments of the case."""
    _handled(
        case_id, as_json, action="dispose", by=by, verdict=verdict, note=note,
        transactions=transaction or None,
    )  # fmt: skip


@_group.command()
def close(case_id: _Case, by: _By, note: _Note = None, as_json: _AsJson = False) -> None:
    """Close a case without a verdict."""
    _handled(case_id, as_json, action="close", by=by, note=note)


@_group.command()
def approve(
    case_id: _Case, request: _Request, by: _By, note: _Note = None, as_json: _AsJson = False
) -> None:
    """Approve what another person has asked for; it is done then."""
    _handled(case_id, as_json, action="approve", by=by, request=request, note=note)


@_group.command()
def refuse(
    case_id: _Case, request: _Request, by: _By, note: _Note = None, as_json: _AsJson = False
) -> None:
    """Refuse what somebody has asked for, or take it back."""
    _handled(case_id, as_json, action="refuse", by=by, request=request, note=note)


@_group.command()
def reopen(case_id: _Case, by: _By, note: _Note = None, as_json: _AsJson = False) -> None:
    """Take up again a case that was done."""
    _handled(case_id, as_json, action="reopen", by=by, note=note)


def _handled(case_id: str, as_json: bool, **said: Any) -> None:
    body = {name: value for name, value in said.items() if value is not None}
    receipt = asked("POST", f"/cases/{case_id}", "cases", json=body)
    print_result(receipt, f"{case_id}: {said['action']} {receipt['status']}", as_json)


def _waiting(history: list[dict[str, Any]]) -> list[str]:
    answered = {each["request"] for each in history}
    return [
        each["event_id"] for each in history if each["wanted"] and each["event_id"] not in answered
    ]


def _row(case: dict[str, Any]) -> list[str]:
    return [
        case["case_id"],
        str(case["priority"]),
        case["state"],
        _short(case["due_at"]) + (" overdue" if case["overdue"] else ""),
        str(case["alerts"]),
        f"{case['expected_loss_minor'] / 100:,.2f}",
        f"{case['payer_kind']} {case['payer_id']}",
        case["assignee"] or "",
    ]


def _short(time: str) -> str:
    return time[:19].replace("T", " ")
