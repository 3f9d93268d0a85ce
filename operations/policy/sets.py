"""Sets of the policy: rules, thresholds, exploration, routes and suppressions, each a whole."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from commands.policy.routes import take_back_routes
from commands.policy.rules import take_back_rules
from commands.policy.suppressions import take_back_suppressions
from commands.policy.thresholds import take_back_exploration, take_back_thresholds
from commands.policy.topic import Published, facts
from domain.errors import NotFoundError
from domain.events import (
    ExplorationPublished,
    RoutesPublished,
    RulesPublished,
    SuppressionsPublished,
    ThresholdsPublished,
)
from domain.times import to_rfc3339
from eventlog.port import EventLog

SetFact = (
    RulesPublished
    | ThresholdsPublished
    | ExplorationPublished
    | RoutesPublished
    | SuppressionsPublished
)
PublishedSet = Published[SetFact]
TakeBack = Callable[[EventLog, int, str, int], bool]

_EVENTS: Mapping[str, type[SetFact]] = {
    "rules": RulesPublished,
    "thresholds": ThresholdsPublished,
    "exploration": ExplorationPublished,
    "routes": RoutesPublished,
    "suppressions": SuppressionsPublished,
}
KINDS = tuple(_EVENTS)
TAKE_BACK: Mapping[str, TakeBack] = {
    "rules": take_back_rules,
    "thresholds": take_back_thresholds,
    "exploration": take_back_exploration,
    "routes": take_back_routes,
    "suppressions": take_back_suppressions,
}


def sets_of(log: EventLog, as_known_at: int | None = None) -> dict[str, list[PublishedSet]]:
    """By kind all that were published up to a moment (us UTC), the oldest first; of one reading.

    Raises LogUnavailableError.
    """
    found: dict[str, list[PublishedSet]] = {kind: [] for kind in KINDS}
    for offset, each in facts(log):
        if isinstance(each.data, SetFact) and (
            as_known_at is None or each.known_time <= as_known_at
        ):
            found[kind_of(each.data)].append(Published(offset, each.known_time, each.data))
    return found


def kind_of(fact: SetFact) -> str:
    return next(kind for kind, event in _EVENTS.items() if isinstance(fact, event))


def kind_at(sets: Mapping[str, list[PublishedSet]], version: int) -> str:
    """Of the set that was published there. Raises NotFoundError."""
    for kind, published in sets.items():
        if any(each.version == version for each in published):
            return kind
    raise NotFoundError("published set", str(version))


def summary(found: PublishedSet) -> dict[str, Any]:
    """Version, time, how many of its kind it holds, hash, and why it was published."""
    kind, fields = kind_of(found.fact), asdict(found.fact)
    # The salt is not shown: who knows it can choose ids that pass.
    held = fields["share" if kind == "exploration" else kind]
    return {
        "version": found.version,
        "published_at": to_rfc3339(found.known_time),
        kind: held if kind in ("thresholds", "exploration") else len(held),
        **({f"{kind}_hash": fields[f"{kind}_hash"]} if f"{kind}_hash" in fields else {}),
        "reason": fields["reason"],
        "took_back": fields["took_back"],
    }
