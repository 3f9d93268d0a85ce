"""Replies: what the receiver of an alert sends back, checked by its secret and read.

PagerDuty webhooks v3, the outgoing webhook of Opsgenie and of Jira Service Management's operations
(one format), webhooks of Jira's issues, Alertmanager's webhook receiver, and Standard Webhooks.
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from commands.alerts.channels import standard_signature
from commands.alerts.reply_formats import READERS, Reply
from commands.intake.payload import parse_payload
from domain.errors import NotFoundError, UnverifiedError
from domain.events import Route, RouteKind
from domain.times import MINUTE, SECOND

Headers = Mapping[str, str]
"""By names in lower case."""

_TOLERANCE_US = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Received:
    """A webhook as it came. `now` is microseconds UTC."""

    headers: Headers
    body: bytes
    now: int


def read_replies(route: Route | None, name: str, secret: str, received: Received) -> list[Reply]:
    """What it asks for, in its order; nothing where it only tells.

    `secret` may hold several with blanks between, while it is changed. Raises NotFoundError for a
    route that takes no replies, UnverifiedError where the secret, the signature or its time does
    not fit, InvalidInputError for a body of another shape.
    """
    if route is None or not route.replies:
        raise NotFoundError("route that takes replies", name)
    secrets = secret.split()
    if not secrets:
        raise UnverifiedError(f"RETRACE_SECRET_{route.replies} is not set on this host")
    if not any(_VERIFIERS[route.to](received, each) for each in secrets):
        raise UnverifiedError(f"the secret or signature is not that of route {route.name}")
    payload, _ = parse_payload(received.body)
    return READERS[route.to](payload, received.headers)


def _signed_by_pagerduty(received: Received, secret: str) -> bool:
    """Several signatures while PagerDuty's secret is changed."""
    wanted = "v1=" + hmac.new(secret.encode(), received.body, sha256).hexdigest()
    given = received.headers.get("x-pagerduty-signature", "").split(",")
    return any(_equal(each.strip(), wanted) for each in given)


def _signed_by_jira(received: Received, secret: str) -> bool:
    """Issues' webhooks are signed (WebSub); those of operations name the secret, as Opsgenie's."""
    given = received.headers.get("x-hub-signature")
    if given is None:
        return _authorised(received, secret)
    wanted = "sha256=" + hmac.new(secret.encode(), received.body, sha256).hexdigest()
    return _equal(given, wanted)


def _authorised(received: Received, secret: str) -> bool:
    """Where nothing is signed: the secret as a token, or as user and password."""
    given = received.headers.get("authorization", "")
    basic = base64.b64encode(secret.encode()).decode()
    return _equal(given, f"Basic {basic}" if ":" in secret else f"Bearer {secret}")


def _standard(received: Received, secret: str) -> bool:
    message_id, moment = (received.headers.get(f"webhook-{n}", "") for n in ("id", "timestamp"))
    if not moment.isdecimal() or abs(received.now - int(moment) * SECOND) > _TOLERANCE_US:
        raise UnverifiedError("webhook-timestamp is missing, or five minutes or more away")
    signed = f"{message_id}.{moment}.".encode() + received.body
    try:
        wanted = standard_signature(secret, signed)
    except ValueError as error:
        raise UnverifiedError(str(error)) from error
    given = received.headers.get("webhook-signature", "").split()
    return any(_equal(each, wanted) for each in given)


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


_VERIFIERS: Mapping[RouteKind, Callable[[Received, str], bool]] = {
    "pagerduty": _signed_by_pagerduty,
    "opsgenie": _authorised,
    "jira": _signed_by_jira,
    "alertmanager": _authorised,
    "webhook": _standard,
}
