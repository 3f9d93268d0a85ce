"""Routes of alerts: which alerts go to which receiver, and the published set of them."""

from dataclasses import dataclass, field
from typing import Literal

from domain.events.registry import Event, event
from domain.events.rules import RuleSeverity

RouteKind = Literal[
    "pagerduty", "opsgenie", "jira", "alertmanager", "slack", "teams", "email", "webhook"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Alerts that it takes go to one receiver.

    `secret` names a setting, RETRACE_SECRET_ and the name, and never is the secret itself; so does
    `replies`, by which what the receiver sends back is known to be its own (empty: no replies). It
    takes alerts of `severity` or more; those about transactions of `merchants` (empty: of all) and
    of `amount` or more, in minor units of the base currency; those raised on one of `days` (empty:
    on all) within `hours` of `zone` (empty: at all). Over `at_most` messages a minute (0: without
    limit) alerts are gathered into one. It takes none that was raised before `since` (microseconds
    UTC), when a route of this name came into force. `overdue` ones are told of overdue cases too.
    """

    name: str
    to: RouteKind
    url: str = ""
    secret: str = ""
    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    severity: RuleSeverity = "low"
    merchants: list[str] = field(default_factory=list)
    amount: int = 0
    days: list[str] = field(default_factory=list)
    hours: str = ""
    zone: str = "UTC"
    at_most: int = 10
    since: int = 0
    replies: str = ""
    overdue: bool = False


@event("fraud.routes.published")
@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesPublished(Event):
    """From this position on, alerts go by these routes, and by no others that were published.

    `routes_hash` is the SHA-256 of their text, without `since`. `took_back` is the offset of the
    earlier set that is in force again, None where the set was published from files.
    """

    routes: list[Route]
    routes_hash: str
    reason: str
    took_back: int | None = None
