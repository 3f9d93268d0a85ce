"""Facts of a delivery: that it was gathered, that it failed, that it was confirmed."""

from collections.abc import Iterator

from commands.alerts.parcels import Parcel, Waiting
from commands.alerts.routing import OWN
from commands.alerts.schedule import Schedule
from commands.alerts.sending import receiver_of
from domain.events import (
    AlertDelivered,
    AlertDeliveryFailed,
    AlertsGathered,
    CaseOverdue,
    Envelope,
    Event,
    ModelAlertDelivered,
    ModelAlertRaised,
    Route,
    caused_event_id,
)
from domain.policy.rules.numbers import as_text
from domain.times import SECOND


def gathered_facts(
    route: str, parcel: Parcel, source: str, now: int
) -> Iterator[tuple[int, Envelope]]:
    """(partition, fact) of each partition that a member of the digest lies in."""
    offsets: dict[int, list[int]] = {}
    for each in parcel.members:
        offsets.setdefault(each.partition, []).append(each.offset)
    first = parcel.members[0]
    for partition, found in offsets.items():
        fact = AlertsGathered(
            route=route,
            key=parcel.key,
            offsets=as_text(sorted(found)),
            partitions=sorted(offsets),
            alerts=len(parcel.members),
        )
        fact_id = caused_event_id(f"{parcel.key}/{route}", AlertsGathered, partition)
        yield partition, _fact(fact, fact_id, first, source, now)


def failed_fact(
    route: Route,
    parcel: Parcel,
    outcome: str,
    schedule: Schedule,
    pause: float | None,
    source: str,
    now: int,
) -> Envelope:
    """`pause` is in seconds, None where it is given up."""
    first = parcel.members[0]
    fact = AlertDeliveryFailed(
        alert_id=first.raised.data.alert_id,
        route=route.name,
        key=parcel.key,
        receiver=receiver_of(route),
        attempts=parcel.attempts,
        outcome=outcome,
        failures=schedule.failures,
        retry_at=now + int((pause or 0.0) * SECOND),
        alerts=len(parcel.members),
        given_up=pause is None,
    )
    ordinal = parcel.attempts + (pause is None)
    fact_id = caused_event_id(f"{parcel.key}/{route.name}", AlertDeliveryFailed, ordinal)
    return _fact(fact, fact_id, first, source, now)


def delivered_fact(
    route: Route, parcel: Parcel, member: Waiting, source: str, now: int
) -> Envelope:
    data = member.raised.data
    told = {"receiver": receiver_of(route), "route": route.name}
    key = "" if parcel.key == data.alert_id else parcel.key
    receipt: AlertDelivered | ModelAlertDelivered
    if isinstance(data, ModelAlertRaised):
        receipt = ModelAlertDelivered(
            alert_id=data.alert_id,
            model_id=data.model_id,
            attempts=parcel.attempts,
            key=key,
            **told,
        )
    else:
        receipt = AlertDelivered(
            alert_id=data.alert_id,
            transaction_id="" if isinstance(data, CaseOverdue) else member.raised.subject,
            attempts=parcel.attempts,
            key=key,
            **told,
        )
    cause = member.cause.id if route.name == OWN else f"{member.cause.id}/{route.name}"
    return _fact(receipt, caused_event_id(cause, type(receipt)), member, source, now)


def _fact(data: Event, fact_id: str, member: Waiting, source: str, now: int) -> Envelope:
    return Envelope(
        id=fact_id,
        source=source,
        subject=member.raised.subject,
        time=now,
        known_time=now,
        data=data,
        correlation_id=member.raised.correlation_id,
        causation_id=member.cause.id,
    )
