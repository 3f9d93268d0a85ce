"""Channels over HTTP: the request of each receiver's published API for one message.

PagerDuty Events API v2, Opsgenie Alert API (that of Jira Service Management's integration events is
the same under another URL), Alertmanager API v2, Slack incoming webhooks, Teams workflows (Adaptive
Card in a message), and webhooks signed as Standard Webhooks 1.0 says.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from string import punctuation
from typing import Any
from urllib.parse import quote

from commands.alerts.message import Message
from domain.events import Route
from domain.times import DAY, SECOND, to_rfc3339

PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
OPSGENIE = "https://api.opsgenie.com/v2/alerts"
JIRA = "https://api.atlassian.com/jsm/ops/integration/v2/alerts"
# Of printable ASCII all but the sign that escapes begin with.
_PLAIN = punctuation.replace("%", "") + " "
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Post:
    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def post_of(route: Route, message: Message, secret: str, now: int) -> Post:
    """`now` is microseconds UTC. Raises ValueError for a secret that cannot be used."""
    return _CHANNELS[route.to](route, message, secret, now)


def _pagerduty(route: Route, message: Message, secret: str, _: int) -> Post:
    severity = {"critical": "critical", "high": "error", "medium": "warning", "low": "info"}
    event = {
        "routing_key": secret,
        "event_action": "trigger",
        "dedup_key": _at_most(message.key, 255),
        "client": "Retrace",
        "payload": {
            "summary": _cut(message.title, 1024),
            "source": "retrace",
            "severity": severity[message.severity],
            "timestamp": to_rfc3339(message.moment),
            # PagerDuty can group alerts by it.
            "group": message.facts.get("case", "retrace"),
            "custom_details": {**message.facts, "why": message.lines},
        },
    }
    return _json(route.url or PAGERDUTY, event)


def _opsgenie(route: Route, message: Message, secret: str, _: int) -> Post:
    priority = {"critical": "P1", "high": "P2", "medium": "P3", "low": "P4"}
    alert = {
        "message": _cut(message.title, 130),
        "alias": _at_most(message.key, 512),
        "description": _cut(message.text, 15_000),
        # All of them together are to be less than 8000 characters.
        "details": {name: _cut(fact, 500) for name, fact in message.facts.items()},
        "source": "retrace",
        "tags": ["retrace", message.severity],
        "priority": priority[message.severity],
    }
    default = JIRA if route.to == "jira" else OPSGENIE
    return _json(route.url or default, alert, Authorization=f"GenieKey {secret}")


def _alertmanager(route: Route, message: Message, secret: str, _: int) -> Post:
    """Labels are what it tells alerts apart by. Without an end it would resolve this soon."""
    alert = {
        "labels": {
            "alertname": "Retrace",
            "severity": message.severity,
            "alert": message.key,
            **{n: f for n, f in message.facts.items() if n in ("merchant", "model")},
        },
        "annotations": {"summary": message.title, "description": message.text},
        "startsAt": to_rfc3339(message.moment),
        "endsAt": to_rfc3339(message.moment + DAY),
    }
    headers = {}
    if secret:
        basic = base64.b64encode(secret.encode()).decode()
        headers["Authorization"] = f"Basic {basic}" if ":" in secret else f"Bearer {secret}"
    return _json(route.url.rstrip("/") + "/api/v2/alerts", [alert], **headers)


def _slack(_: Route, message: Message, secret: str, __: int) -> Post:
    title = _cut(_escaped(message.title), 3000)
    blocks: list[dict[str, Any]] = [_mrkdwn(f"*{_cut(title, 2900)}*")]
    if message.text:
        blocks.append(_mrkdwn(_cut(_escaped(message.text), 3000)))
    return _json(_secret_url(secret), {"text": title, "blocks": blocks})


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _escaped(text: str) -> str:
    """So that an id that comes from outside mentions nobody and links nowhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(_: Route, message: Message, secret: str, __: int) -> Post:
    """A workflow takes 28 KB."""
    colour = {"critical": "attention", "high": "attention", "medium": "warning", "low": "default"}
    heading = {"type": "TextBlock", "text": _cut(message.title, 1000), "weight": "bolder"}
    facts = [{"title": name, "value": _cut(fact, 500)} for name, fact in message.facts.items()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            heading | {"wrap": True, "color": colour[message.severity]},
            *({"type": "TextBlock", "text": _cut(t, 1000), "wrap": True} for t in message.lines),
            {"type": "FactSet", "facts": facts},
        ],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": kind, "contentUrl": None, "content": card}
    return _json(_secret_url(secret), {"type": "message", "attachments": [attachment]})


def _webhook(route: Route, message: Message, secret: str, now: int) -> Post:
    """Standard Webhooks where there is a secret, or several with blanks between: a receiver that
    changes its secret accepts either for a while. Its ids must be without full stops."""
    # A header is ASCII, and ids need not be.
    headers = {"Idempotency-Key": quote(message.key, safe=_PLAIN)}
    post = _json(route.url, message.body, **headers)
    message_id, moment = f"msg_{sha256(message.key.encode()).hexdigest()[:32]}", str(now // SECOND)
    post.headers.update({"webhook-id": message_id, "webhook-timestamp": moment})
    signed = f"{message_id}.{moment}.".encode() + post.body
    signatures = [standard_signature(each, signed) for each in secret.split()]
    if signatures:
        post.headers["webhook-signature"] = " ".join(signatures)
    return post


def standard_signature(secret: str, signed: bytes) -> str:
    """As Standard Webhooks 1.0 says. Raises ValueError for a secret of another form."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"the secret is not {_PREFIX} and base64") from None
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def _json(url: str, content: object, **headers: str) -> Post:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Post(url, body, {"Content-Type": "application/json", **headers})


def _secret_url(secret: str) -> str:
    if not secret.startswith(("http://", "https://")):
        raise ValueError("the secret is not the webhook's URL")
    return secret


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _at_most(key: str, most: int) -> str:
    """Two keys stay two keys."""
    return key if len(key) <= most else sha256(key.encode()).hexdigest()


_CHANNELS: Mapping[str, Callable[[Route, Message, str, int], Post]] = {
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "jira": _opsgenie,
    "alertmanager": _alertmanager,
    "slack": _slack,
    "teams": _teams,
    "webhook": _webhook,
}
