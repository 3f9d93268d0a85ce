"""Routing: which routes take an alert, how severe it is, and what a route must be."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.cases import SEVERITY_OF
from domain.events import AlertRaised, CaseOverdue, Envelope, Route, RouteKind, Rule, RuleSeverity
from domain.money.amounts import MAX_MINOR
from domain.policy.rules.rule_set import SEVERITIES
from domain.times import to_datetime

MOST_ROUTES = 100
KINDS: tuple[RouteKind, ...] = get_args(RouteKind)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OWN = "webhook"
"""The route of RETRACE_WEBHOOK_URL; no published one is called so."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_SECRET = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
# An approval has an alert where exploration let pass what would have been declined.
_BY_OUTCOME: dict[str, RuleSeverity] = {"decline": "high", "approve": "high", "review": "medium"}
_NEED_URL = ("alertmanager", "email", "webhook")
_NEED_SECRET = ("pagerduty", "opsgenie", "jira", "slack", "teams")
_SECRET_URL = ("slack", "teams")
_REPLYING = ("pagerduty", "opsgenie", "jira", "alertmanager", "webhook")
_REPLIES = f"needs the NAME of a setting RETRACE_SECRET_NAME, and one of {', '.join(_REPLYING)}"


def own_route(url: str, secret: str) -> Route:
    """Every alert, each alone, to one webhook; signed where there is a secret."""
    return Route(name=OWN, to="webhook", url=url, secret=secret, at_most=0)


def severity_of(alert: Envelope, rules: Sequence[Rule]) -> RuleSeverity:
    """The greatest of the rules behind its reasons; without one high for a decline, for one that
    exploration let pass and for an alert about a model, medium for a review; of an overdue case by
    its priority. `rules` are those in force."""
    if isinstance(alert.data, CaseOverdue):
        return SEVERITY_OF[alert.data.priority]
    if not isinstance(alert.data, AlertRaised):
        return "high"
    by_code = {f"policy.{rule.code}": rule.severity for rule in rules}
    found = [by_code[code] for code in alert.data.reasons if code in by_code]
    return max(found, key=SEVERITIES.index, default=_BY_OUTCOME[alert.data.outcome])


def takes(route: Route, alert: Envelope, severity: RuleSeverity) -> bool:
    """By what the alert says and when it was raised, never by when it is looked at."""
    return (
        alert.known_time >= route.since
        and SEVERITIES.index(severity) >= SEVERITIES.index(route.severity)
        and _about(route, alert)
        and _within(route, to_datetime(alert.known_time))
    )


def _about(route: Route, alert: Envelope) -> bool:
    if isinstance(alert.data, CaseOverdue):
        within = alert.data.base_amount >= route.amount
        return route.overdue and within and not route.merchants
    if not route.merchants and not route.amount:
        return True
    data = alert.data
    if not isinstance(data, AlertRaised):
        return False
    if route.merchants and data.merchant_id not in route.merchants:
        return False
    return (data.amount if data.base_amount is None else data.base_amount) >= route.amount


def _within(route: Route, moment: datetime) -> bool:
    """Hours that pass midnight belong to the day on which they begin."""
    local = moment.astimezone(ZoneInfo(route.zone))
    day, hour = local.weekday(), local.time()
    inside = True
    if route.hours:
        first, last = map(_clock, route.hours.split("-"))
        if first < last:
            inside = first <= hour < last
        else:
            inside = hour >= first or hour < last
            day = day - 1 if hour < last else day
    return inside and (not route.days or DAYS[day] in route.days)


def _clock(text: str) -> time:
    # 24:00 is the end of the day, which no time of the day reaches.
    return time.max if text == "24:00" else time.fromisoformat(text)


def faults_of(route: Route) -> list[tuple[str, str]]:
    """(field, what is wrong with it), in words for the file's writer."""
    kinds, severities, days = map(", ".join, (KINDS, SEVERITIES, DAYS))
    secret = f"{route.to} needs the NAME of a setting RETRACE_SECRET_NAME"
    checks: list[tuple[str, bool, str]] = [
        ("name", bool(_NAME.fullmatch(route.name)), "expected a-z, 0-9, - and _, at most 64"),
        ("name", route.name != OWN, f"{OWN} is the route of RETRACE_WEBHOOK_URL"),
        ("to", route.to in KINDS, f"expected one of {kinds}"),
        ("url", _url_fits(route), _URLS.get(route.to, "expected http:// or https://")),
        ("secret", _secret_fits(route), secret),
        ("replies", _replies_fit(route), _REPLIES),
        ("from", _addresses_fit(route), "and addresses are for email, which needs both"),
        ("severity", route.severity in SEVERITIES, f"expected one of {severities}"),
        (
            "base_amount_minor",
            0 <= route.amount <= MAX_MINOR,
            "expected minor units of the base currency",
        ),
        ("days", set(route.days) <= set(DAYS), f"expected some of {days}"),
        ("hours", _hours_fit(route.hours), "expected such as 08:00-18:00 or 22:00-06:00"),
        ("zone", _is_zone(route.zone), "is no time zone, such as Europe/Berlin"),
        ("at_most", 0 <= route.at_most <= 10_000, "expected 0 (no limit) to 10000 a minute"),
    ]
    return [(name, text) for name, holds, text in checks if not holds]


_URLS: Mapping[str, str] = {
    "email": "expected smtp://host:port or smtps://host:port",
    **dict.fromkeys(_SECRET_URL, "is a secret: put it in a setting and name that under secret"),
}


def _url_fits(route: Route) -> bool:
    if route.to in _SECRET_URL:
        return not route.url
    if not route.url:
        return route.to not in _NEED_URL
    try:
        parts = urlsplit(route.url)
        # A port that is no number raises.
        named = bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        return False
    return named and parts.scheme in (
        ("smtp", "smtps") if route.to == "email" else ("http", "https")
    )


def _secret_fits(route: Route) -> bool:
    return bool(_SECRET.fullmatch(route.secret)) if route.secret else route.to not in _NEED_SECRET


def _replies_fit(route: Route) -> bool:
    return not route.replies or (route.to in _REPLYING and bool(_SECRET.fullmatch(route.replies)))


def _addresses_fit(route: Route) -> bool:
    given = [*route.recipients, *([route.sender] if route.sender else [])]
    if route.to != "email":
        return not given
    one = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
    return bool(route.sender and route.recipients) and all(map(one.fullmatch, given))


def _hours_fit(hours: str) -> bool:
    if not hours:
        return True
    first, _, last = hours.partition("-")
    return bool(_HOURS.fullmatch(hours)) and first != last


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
