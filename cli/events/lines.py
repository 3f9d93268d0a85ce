"""One record of the log as one line of text, or as one line of JSON."""

import json
from collections.abc import Callable
from typing import Any

from rich.text import Text

from domain.errors import UndecodableError
from domain.events import Envelope
from domain.money import to_major, with_shown_amounts
from domain.times import to_datetime
from eventlog.codec import decode
from eventlog.port import Recorded
from eventlog.routing import decode_routed
from eventlog.topics import ENTITIES

_VERB_WIDTH, _SUBJECT_WIDTH = 13, 20
_COLOURS = {
    "approve": "green",
    "review": "yellow",
    "step_up": "dark_orange",
    "decline": "bold red",
    "dead-lettered": "red",
    "labelled": "magenta",
    "promoted": "blue",
    "set": "blue",
}


def as_line(record: Recorded) -> Text:
    """Known time (UTC), event type, subject, and the most important fields."""
    try:
        envelope = decode(record.value)
    except UndecodableError as error:
        return _foreign(record, error)
    verb = envelope.data.NAME.rpartition(".")[2]
    moment = to_datetime(envelope.known_time)
    return Text.assemble(
        (moment.strftime("%m-%d %H:%M:%S "), "dim"),
        (f"{verb:<{_VERB_WIDTH}} ", _COLOURS.get(verb, "cyan")),
        (_fitted(envelope.subject), ""),
        " ",
        _details(envelope),
    )


def as_json(record: Recorded) -> str:
    """The event, with its position and amounts in major units; the record of another producer as it
    is. `undecodable` says why it cannot be read.
    """
    place = record.position
    shown: dict[str, Any] = {
        "topic": place.topic,
        "partition": place.partition,
        "offset": place.offset,
    }
    try:
        stored = json.loads(record.value)
        shown |= _in_major_units(stored) if _is_event(record.value) else stored
    except (ValueError, TypeError) as error:
        shown["undecodable"] = str(error)
    return json.dumps(shown, ensure_ascii=False)


def _is_event(value: bytes) -> bool:
    try:
        decode(value)
    except UndecodableError:
        return False
    return True


def _in_major_units(event: dict[str, Any]) -> dict[str, Any]:
    data = with_shown_amounts(event["data"])
    if "transaction" in data:
        data["transaction"] = with_shown_amounts(data["transaction"])
    return event | {"data": data}


def _fitted(subject: str) -> str:
    short = subject if len(subject) <= _SUBJECT_WIDTH else subject[: _SUBJECT_WIDTH - 1] + "…"
    return f"{short:<{_SUBJECT_WIDTH}}"


def _details(envelope: Envelope) -> Text:
    data = envelope.data
    detail = _DETAILS.get(data.NAME)
    return detail(data) if detail else Text("")


def _money(minor: int, currency: str) -> str:
    return f"{to_major(minor, currency):,} {currency}"


def _of_transaction(data: Any) -> Text:
    paid = data.transaction
    where = paid.merchant_id or paid.channel or ""
    return Text(f"{_money(paid.amount, paid.currency)} {where}".rstrip())


def _of_import(data: Any) -> Text:
    day = to_datetime(data.transaction.timestamp).strftime(" of %Y-%m-%d")
    return _of_transaction(data).append(day, "dim")


def _of_decision(data: Any) -> Text:
    why = ", ".join(data.reasons)
    path = "" if data.path == "full" else f" ({data.path})"
    return Text.assemble((data.outcome, _COLOURS[data.outcome]), f" {data.score:.3f}{path} ", why)


def _of_label(data: Any) -> Text:
    said = "fraud" if data.value else "genuine"
    return Text.assemble((said, "red" if data.value else "green"), f" {data.kind}, {data.reporter}")


def _of_alert(data: Any) -> Text:
    what = f" {data.score:.3f} {_money(data.amount, data.currency)}"
    silence = f", suppressed by {data.suppressed_by}" if data.suppressed_by else ""
    return Text.assemble((data.outcome, _COLOURS[data.outcome]), what, silence)


def _of_delivery(data: Any) -> Text:
    return Text(f"to {data.receiver}, attempt {data.attempts}")


def _of_promotion(data: Any) -> Text:
    return Text(f"sha256 {data.model_hash[:12]}")


def _of_thresholds(data: Any) -> Text:
    least = data.thresholds
    if least is None:
        return Text("withdrawn: those of the model count")
    return Text(f"review {least.review:g}, step up {least.step_up:g}, decline {least.decline:g}")


def _of_exploration(data: Any) -> Text:
    return Text(f"{data.share / 100:g} % of what would be declined")


def _of_dead_letter(data: Any) -> Text:
    return Text(f"{data.reader}: {data.reason}")


_DETAILS: dict[str, Callable[[Any], Text]] = {
    "fraud.transaction.submitted": _of_transaction,
    "fraud.transaction.imported": _of_import,
    "fraud.transaction.scored": _of_decision,
    "fraud.transaction.labelled": _of_label,
    "fraud.alert.raised": _of_alert,
    "fraud.alert.delivered": _of_delivery,
    "fraud.model.trained": _of_promotion,
    "fraud.model.promoted": _of_promotion,
    "fraud.model.retired": _of_promotion,
    "fraud.thresholds.set": _of_thresholds,
    "fraud.thresholds.published": _of_thresholds,
    "fraud.exploration.published": _of_exploration,
    "fraud.record.dead-lettered": _of_dead_letter,
}


def _foreign(record: Recorded, error: UndecodableError) -> Text:
    """A record that is no event: of an inbox, a routed batch, or one that cannot be read."""
    place = record.position
    start = Text(f"{place.partition}/{place.offset} ", "dim")
    if place.topic == ENTITIES.name:
        try:
            routed = decode_routed(record.value)
        except UndecodableError as unreadable:
            return start.append(str(unreadable), "red")
        span = f"from {routed.source}: {routed.first} to {routed.last}, "
        return start.append(f"{span}{routed.events} events")
    if record.value.lstrip()[:1] == b"{":
        return start.append(" ".join(record.value.decode(errors="replace").split()))
    return start.append(f"unreadable: {error}", "red")
