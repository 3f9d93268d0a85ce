"""Command: publish the routes of alerts; and all sets of them that were ever published."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256

from commands.policy.rules import SOURCE
from commands.policy.topic import append_fact, current_policy, published
from domain.errors import NotFoundError
from domain.events import Route, RoutesPublished
from eventlog.port import EventLog


def publish_routes(
    log: EventLog,
    routes: Sequence[Route],
    reason: str,
    known_time: int,
    took_back: int | None = None,
) -> bool:
    """Puts checked routes in force, all at once; False where they are in force already.

    A new name takes alerts from `known_time` on; one that is in force goes on as it was. Raises
    LogUnavailableError, after which a repetition is harmless.
    """
    policy = current_policy(log)
    since = {each.name: each.since for each in policy.routes}
    dated = [replace(each, since=since.get(each.name, known_time)) for each in routes]
    if dated == list(policy.routes):
        return False
    fact = RoutesPublished(
        routes=dated, routes_hash=_hash_of(routes), reason=reason, took_back=took_back
    )
    event_id = f"{fact.NAME}/{fact.routes_hash}/{policy.version + 1}"
    append_fact(log, fact, event_id, SOURCE, "routes", known_time)
    return True


def take_back_routes(log: EventLog, version: int, reason: str, known_time: int) -> bool:
    """Publishes an earlier set again; otherwise as `publish_routes`. Raises NotFoundError."""
    for each in published(log, RoutesPublished):
        if each.version == version:
            return publish_routes(log, each.fact.routes, reason, known_time, version)
    raise NotFoundError("published set of routes", str(version))


def _hash_of(routes: Sequence[Route]) -> str:
    plain = [asdict(replace(each, since=0)) for each in routes]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
