"""Published contracts of receivers: what each takes, and the key by which it drops repeats.

Each function returns (status, key, text of the answer) and raises
RefusedError as the receiver would.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

PAGERDUTY_KEY = "0123456789abcdef0123456789abcdef"
GENIE_KEY = "5e2a8c1c-93f4-4a2e-9d5b-6f0b5a6c7d8e"
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK_PATH = "/services/T000/B000/XXXX"


class RefusedError(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Taken(NamedTuple):
    """`key` is None where the receiver tells no repeats apart."""

    status: int
    key: str | None
    answer: str = ""


Contract = Callable[[str, Mapping[str, str], bytes], Taken]
"""Of path, headers (names in lower case) and body."""


def need(holds: object, why: str, status: int = 400) -> None:
    if not holds:
        raise RefusedError(status, why)


def text(value: object, most: int, why: str) -> str:
    need(isinstance(value, str) and 1 <= len(value) <= most, f"{why}: 1 to {most} characters")
    return str(value)


def moment(value: object) -> datetime:
    need(isinstance(value, str), "a time is text")
    return datetime.fromisoformat(str(value))


def read(headers: Mapping[str, str], body: bytes) -> Any:
    need(headers.get("content-type", "").startswith("application/json"), "content type", 415)
    return json.loads(body)


def pagerduty(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    """Events API v2: send an alert event."""
    need(path == "/v2/enqueue", "path", 404)
    need(len(body) <= 512_000, "larger than 512 KB", 413)
    event = read(headers, body)
    need(event.get("routing_key") == PAGERDUTY_KEY, "Invalid routing key")
    need(event.get("event_action") in ("trigger", "acknowledge", "resolve"), "event_action")
    key, payload = text(event.get("dedup_key"), 255, "dedup_key"), event["payload"]
    text(payload.get("summary"), 1024, "summary")
    text(payload.get("source"), 1024, "source")
    need(payload.get("severity") in ("critical", "error", "warning", "info"), "severity")
    moment(payload["timestamp"])
    text(payload.get("group", "-"), 1024, "group")
    need(isinstance(payload.get("custom_details", {}), dict), "custom_details")
    answer = {"status": "success", "message": "Event processed", "dedup_key": key}
    return Taken(202, key, json.dumps(answer))


def opsgenie(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    """Alert API: create alert; integration events of Jira Service Management are the same."""
    need(path in ("/v2/alerts", "/jsm/ops/integration/v2/alerts"), "path", 404)
    need(headers.get("authorization") == f"GenieKey {GENIE_KEY}", "key", 401)
    alert = read(headers, body)
    text(alert.get("message"), 130, "message")
    key = text(alert.get("alias"), 512, "alias")
    text(alert.get("description", "-"), 15_000, "description")
    text(alert.get("source", "-"), 100, "source")
    need(alert.get("priority", "P3") in ("P1", "P2", "P3", "P4", "P5"), "priority", 422)
    tags, details = alert.get("tags", []), alert.get("details", {})
    need(len(tags) <= 20 and all(len(tag) <= 50 for tag in tags), "tags", 422)
    need(all(isinstance(fact, str) for fact in details.values()), "details", 422)
    need(sum(map(len, (*details, *details.values()))) <= 8000, "details", 422)
    return Taken(202, key, json.dumps({"result": "Request will be processed"}))


def alertmanager(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    """API v2: post alerts. Equal labels are one alert."""
    need(path == "/api/v2/alerts", "path", 404)
    (alert,) = read(headers, body)
    labels = alert["labels"]
    need(labels.get("alertname"), "alertname")
    for name, value in (*labels.items(), *alert.get("annotations", {}).items()):
        need(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name), f"name {name}")
        need(isinstance(value, str) and value, f"value of {name}")
    need(moment(alert["startsAt"]) < moment(alert["endsAt"]), "ends before it starts")
    return Taken(200, json.dumps(labels, sort_keys=True))


def slack(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    """Incoming webhook."""
    need(path == HOOK_PATH, "no_service", 404)
    message = read(headers, body)
    text(message.get("text"), 40_000, "no_text")
    blocks = message.get("blocks", [])
    need(len(blocks) <= 50, "invalid_blocks")
    for block in blocks:
        need(block["type"] == "section" and block["text"]["type"] == "mrkdwn", "invalid_blocks")
        text(block["text"]["text"], 3000, "invalid_blocks")
    return Taken(200, None, "ok")


def teams(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    """Workflow "when a Teams webhook request is received", with an Adaptive Card."""
    need(path == HOOK_PATH, "path", 404)
    need(len(body) <= 28 * 1024, "larger than 28 KB", 413)
    message = read(headers, body)
    need(message.get("type") == "message", "type")
    (attachment,) = message["attachments"]
    kind = "application/vnd.microsoft.card.adaptive"
    need(attachment["contentType"] == kind, "contentType")
    card = attachment["content"]
    need(card["type"] == "AdaptiveCard" and card["version"] in ("1.2", "1.3", "1.4"), "card")
    for element in card["body"]:
        need(element["type"] in ("TextBlock", "FactSet"), "element")
        for fact in element.get("facts", []):
            need(isinstance(fact["title"], str) and isinstance(fact["value"], str), "fact")
    return Taken(202, None)


def webhook(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    """Standard Webhooks 1.0, as its own library verifies it."""
    try:
        Webhook(WEBHOOK_SECRET).verify(body, dict(headers))
    except WebhookVerificationError as error:
        raise RefusedError(401, str(error)) from None
    need("." not in headers["webhook-id"], "a full stop in the id")
    return Taken(204, headers["webhook-id"])


CONTRACTS: dict[str, Contract] = {
    "pagerduty": pagerduty,
    "opsgenie": opsgenie,
    "jira": opsgenie,
    "alertmanager": alertmanager,
    "slack": slack,
    "teams": teams,
    "webhook": webhook,
}
PATHS = {
    "pagerduty": "/v2/enqueue",
    "opsgenie": "/v2/alerts",
    "jira": "/jsm/ops/integration/v2/alerts",
    "alertmanager": "",
    "slack": HOOK_PATH,
    "teams": HOOK_PATH,
    "webhook": "/hook",
}
SECRETS = {"pagerduty": PAGERDUTY_KEY, "opsgenie": GENIE_KEY, "jira": GENIE_KEY} | {
    "webhook": WEBHOOK_SECRET
}
