"""`retrace alerts` deliveries, resend and test-route; without one of them the newest alerts."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.alerts.listing import show_alerts
from cli.output import print_result, print_table

if TYPE_CHECKING:
    from projections.readmodels.queries.results import StoredDelivery

_group = typer.Typer(help="Show the newest alerts, and how they were delivered.")
_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
_Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)]
_Route = Annotated[str | None, typer.Option("--route", help="Of this route alone.")]


def register(app: typer.Typer) -> None:
    """Adds the command group to the app."""
    app.add_typer(_group, name="alerts")


@_group.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    limit: _Limit = 20,
    state: Annotated[
        str | None, typer.Option("--state", help="Only raised, delivered or suppressed ones.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Show the newest alerts, first about transactions, then about models."""
    if context.invoked_subcommand is None:
        show_alerts(limit, state, as_json)


@_group.command()
def deliveries(
    limit: _Limit = 20,
    alert: Annotated[str | None, typer.Option("--alert", help="Id of an alert.")] = None,
    route: _Route = None,
    key: Annotated[str | None, typer.Option("--key", help="Key of a message.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="failed, given_up or delivered.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Show what was delivered and what failed, the newest first."""
    from domain.errors import InvalidInputError
    from projections.readmodels.queries.results import DeliveryFilter
    from runtime.composition.read_models import open_read_models
    from runtime.settings import load_settings

    if state not in (None, "failed", "given_up", "delivered"):
        raise InvalidInputError("--state", "must be failed, given_up or delivered")
    asked = DeliveryFilter(alert_id=alert, route=route, key=key, state=state)
    with open_read_models(load_settings()) as read_models:
        found = read_models.deliveries(asked, limit)
    if as_json:
        print(json.dumps({"deliveries": [_facts(each) for each in found]}))
        return
    titles = ["time (UTC)", "route", "state", "tries", "alerts", "receiver", "answer", "key"]
    print_table([_cells(each) for each in found], titles, right=("tries", "alerts"))


@_group.command()
def resend(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Id of an alert.")],
    route: _Route = None,
    as_json: _AsJson = False,
) -> None:
    """Have an alert delivered once more, by all routes that take it or by one."""
    from operations.alerts import ask_again
    from runtime.composition.log import open_log
    from runtime.composition.read_models import open_read_models
    from runtime.settings import load_settings

    settings = load_settings()
    with open_read_models(settings) as read_models:
        place = read_models.alert_place(alert)
    with open_log(settings) as log:
        asyncio.run(ask_again(log, alert, place, route or ""))
    print_result(
        {"asked": alert, "route": route}, "asked for; see retrace alerts deliveries", as_json
    )


@_group.command("test-route")
def try_one_route(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a route in force.")],
    as_json: _AsJson = False,
) -> None:
    """Send a test message by a route, from here; 1 if the receiver does not take it."""
    from commands.policy.topic import current_policy
    from operations.alerts import try_route
    from runtime.composition.alerts.delivery import alert_delivery
    from runtime.composition.log import open_log
    from runtime.settings import load_settings

    settings = load_settings()
    with open_log(settings) as log:
        policy = current_policy(log)
    answer = asyncio.run(try_route(alert_delivery(settings, lambda: policy), name))
    text = f"{'taken' if answer.taken else 'not taken'}: {answer.outcome}"
    print_result(asdict(answer), text, as_json)
    if not answer.taken:
        raise typer.Exit(1)


def _facts(found: StoredDelivery) -> dict[str, Any]:
    from domain.times import to_rfc3339

    return asdict(found) | {"known_time": to_rfc3339(found.known_time)}


def _cells(found: StoredDelivery) -> list[str]:
    from domain.times import to_datetime

    return [
        to_datetime(found.known_time).strftime("%m-%d %H:%M:%S"),
        *(found.route, found.state, str(found.attempts), str(found.alerts)),
        *(found.receiver, found.outcome, found.key),
    ]
