"""Operations on the delivery of alerts: ask for one again, try a route."""

from commands.agents.alert_delivery import Delivery
from commands.alerts.message import of_trial
from commands.alerts.sending import Answer
from domain.errors import NotFoundError
from domain.events import AlertResendAsked, Envelope
from eventlog.port import EventLog
from eventlog.topics import ALERTS
from host.clock import now_us

SOURCE = "retrace/operator"


async def ask_again(log: EventLog, alert_id: str, place: tuple[int, int], route: str = "") -> None:
    """`place` is the alert's partition and offset. Whoever delivers sends it once more, under a key
    of its own. Raises LogUnavailableError."""
    partition, offset = place
    now = now_us()
    fact = AlertResendAsked(alert_id=alert_id, offset=offset, route=route)
    asked = Envelope(
        id=f"{alert_id}/{fact.NAME}/{now}",
        source=SOURCE,
        subject=alert_id,
        time=now,
        known_time=now,
        data=fact,
        correlation_id=alert_id,
    )
    await log.append(ALERTS, None, asked, partition)


async def try_route(delivery: Delivery, name: str) -> Answer:
    """Sends a message that says that nothing has happened, from this process, with its secrets.

    Raises NotFoundError for a route that is not in force.
    """
    route = delivery.route(name)
    if route is None:
        raise NotFoundError("route of alerts in force", name)
    return await delivery.sender.send(route, of_trial(name, now_us()))
