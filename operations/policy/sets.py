"""Sets of the policy: rules, thresholds, exploration, routes and suppressions, each a whole."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from commands.policy.routes import take_back_routes
from commands.policy.rules import take_back_rules
from commands.policy.suppressions import take_back_suppressions
from commands.policy.thresholds import take_back_exploration, take_back_thresholds
from commands.policy.topic import Published, each_of, facts
from domain.errors import NotFoundError
from domain.events import (
    ExplorationPublished,
    RoutesPublished,
    RulesPublished,
    SetPublished,
    SuppressionsPublished,
    ThresholdsPublished,
)
from domain.times import to_rfc3339
from eventlog.port import EventLog

PublishedSet = Published[SetPublished]
TakeBack = Callable[[EventLog, int, str, int], bool]

_EVENTS: Mapping[str, type[SetPublished]] = {
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
        if as_known_at is None or each.known_time <= as_known_at:
            for one in each_of(each.data):
                if isinstance(one, SetPublished):
                    found[kind_of(one)].append(Published(offset, each.known_time, one))
    return found


def kind_of(fact: SetPublished) -> str:
    return next(kind for kind, event in _EVENTS.items() if isinstance(fact, event))


def kinds_at(sets: Mapping[str, list[PublishedSet]], version: int) -> list[str]:
    """Of the sets that were published there. Raises NotFoundError."""
    found = [k for k, of_kind in sets.items() if any(each.version == version for each in of_kind)]
    if not found:
        raise NotFoundError("published set", str(version))
    return found


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
