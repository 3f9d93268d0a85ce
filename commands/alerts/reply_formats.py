"""Formats of replies: from the published payload of each receiver to what is to be done.

Each reader takes the payload and the headers (names in lower case) and raises InvalidInputError
naming what is missing. What it does not know, or what only tells, asks for nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from domain.errors import InvalidInputError
from domain.events import RouteKind
from domain.times import DAY, from_rfc3339

ReplyAction = Literal["acknowledge", "close", "reopen", "note"]
_LONGEST_NOTE = 4_000
_CASE = re.compile(r"case-[0-9a-f]{20}")


@dataclass(frozen=True, slots=True)
class Reply:
    """`key` is that of the message that is answered, or the id of a case. `reference` is the
    sender's own and equal for every attempt to send it. `by` is who did it there, if it says so."""

    key: str
    action: ReplyAction
    reference: str
    by: str | None = None
    note: str | None = None


Payload = Mapping[str, Any]
Reader = Callable[[Payload, Mapping[str, str]], list[Reply]]


def _pagerduty(payload: Payload, _: Mapping[str, str]) -> list[Reply]:
    """Webhooks v3: `incident_key` is the dedup key of the event that opened the incident."""
    event = _object(payload, "event")
    kind = _text(event, "event_type", "event.")
    wanted: dict[str, ReplyAction] = {
        "incident.acknowledged": "acknowledge",
        "incident.resolved": "close",
        "incident.reopened": "reopen",
    }
    action = wanted.get(kind)
    if action is None:
        return []
    data = _object(event, "data", "event.")
    key = _text(data, "incident_key", "event.data.")
    agent = event.get("agent")
    by = agent.get("summary") if isinstance(agent, dict) else None
    reference = _text(event, "id", "event.")
    return [_reply(key, action, reference, by)]


def _opsgenie(payload: Payload, _: Mapping[str, str]) -> list[Reply]:
    """The outgoing webhook: `alias` is the key of our alert. It has no id of its own."""
    kind = _text(payload, "action")
    wanted: dict[str, ReplyAction] = {
        "Acknowledge": "acknowledge",
        "Close": "close",
        "AddNote": "note",
    }
    action = wanted.get(kind)
    if action is None:
        return []
    alert = _object(payload, "alert")
    key = _text(alert, "alias", "alert.")
    own = _text(alert, "alertId", "alert.")
    moment = alert.get("updatedAt") or alert.get("createdAt")
    by, note = alert.get("username"), alert.get("note") if action == "note" else None
    if action == "note" and not note:
        return []
    return [_reply(key, action, f"{own}/{kind}/{moment}", by, note)]


def _jira(payload: Payload, headers: Mapping[str, str]) -> list[Reply]:
    """Of operations as Opsgenie's; of issues a change of status. The case is looked for in the
    issue's summary, description and labels, into which our message was copied."""
    if "webhookEvent" not in payload:
        return _opsgenie(payload, headers)
    if payload["webhookEvent"] != "jira:issue_updated":
        return []
    changed = payload.get("changelog")
    items = changed.get("items", ()) if isinstance(changed, dict) else ()
    if not any(isinstance(item, dict) and item.get("field") == "status" for item in items):
        return []
    issue = _object(payload, "issue")
    fields = _object(issue, "fields", "issue.")
    category = _object(_object(fields, "status", "issue.fields."), "statusCategory", "status.")
    wanted: dict[Any, ReplyAction] = {"indeterminate": "acknowledge", "done": "close"}
    action = wanted.get(category.get("key"))
    if action is None:
        return []
    told = (fields.get(name) for name in ("summary", "description", "labels"))
    found = _CASE.search(" ".join(map(str, told)))
    if found is None:
        raise InvalidInputError("issue.fields", "name no case, such as case- and 20 digits")
    user = payload.get("user")
    by = user.get("displayName") if isinstance(user, dict) else None
    reference = headers.get("x-atlassian-webhook-identifier") or "/".join(
        (_text(issue, "key", "issue."), str(payload.get("timestamp")))
    )
    return [_reply(found[0], action, reference, by)]


def _alertmanager(payload: Payload, _: Mapping[str, str]) -> list[Reply]:
    """The webhook receiver, version 4: what is resolved before its time, for nobody says so of an
    alert that ran out."""
    if payload.get("version") != "4":
        raise InvalidInputError("version", "must be 4, of Alertmanager's webhook receiver")
    return [
        reply
        for number, alert in enumerate(_list(payload, "alerts"))
        for reply in _resolved(alert, f"alerts[{number}].")
    ]


def _resolved(alert: Any, path: str) -> Iterable[Reply]:
    if not isinstance(alert, dict):
        raise InvalidInputError(path.rstrip("."), "must be an object")
    if _text(alert, "status", path) != "resolved":
        return
    key = _object(alert, "labels", path).get("alert")
    if not isinstance(key, str):
        # Of another system, which the receiver may be sent too.
        return
    begun, ended = (_moment(alert, name, path) for name in ("startsAt", "endsAt"))
    if ended - begun < DAY:
        fingerprint = _text(alert, "fingerprint", path)
        yield _reply(key, "close", f"{fingerprint}/{ended}", None)


def _standard(payload: Payload, headers: Mapping[str, str]) -> list[Reply]:
    """Ours: `type`, and in `data` the key of the message or the id of a case."""
    kind = _text(payload, "type")
    wanted: dict[str, ReplyAction] = {
        "alert.acknowledged": "acknowledge",
        "alert.resolved": "close",
        "alert.reopened": "reopen",
        "alert.noted": "note",
    }
    action = wanted.get(kind)
    if action is None:
        return []
    data = _object(payload, "data")
    name = next((each for each in ("key", "alert_id", "case_id") if each in data), "key")
    reference = headers.get("webhook-id", "")
    if not reference:
        raise InvalidInputError("webhook-id", "must be given")
    note = _text(data, "note", "data.") if action == "note" else data.get("note")
    return [_reply(_text(data, name, "data."), action, reference, data.get("by"), note)]


def _reply(key: str, action: ReplyAction, reference: str, by: Any, note: Any = None) -> Reply:
    """Who did it is told by the sender, in whatever form."""
    who = by if isinstance(by, str) and by.strip() else None
    said = note[:_LONGEST_NOTE].replace("\0", "") if isinstance(note, str) else None
    return Reply(key, action, reference, who, said)


def _object(payload: Payload, name: str, path: str = "") -> Payload:
    value = payload.get(name)
    if not isinstance(value, dict):
        raise InvalidInputError(path + name, "must be an object")
    return value


def _list(payload: Payload, name: str) -> list[Any]:
    value = payload.get(name)
    if not isinstance(value, list):
        raise InvalidInputError(name, "must be a list")
    return value


def _text(payload: Payload, name: str, path: str = "") -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(path + name, "must be a text")
    return value


def _moment(payload: Payload, name: str, path: str) -> int:
    try:
        return from_rfc3339(_text(payload, name, path))
    except ValueError as error:
        raise InvalidInputError(path + name, "must be an RFC 3339 time") from error


READERS: Mapping[RouteKind, Reader] = {
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "jira": _jira,
    "alertmanager": _alertmanager,
    "webhook": _standard,
}
