"""Impact of an event that came late: which decisions would have differed had it been known.

Of a transaction that is: known at its own time. Of a label: known when its transaction was decided,
so that it counts from the next whole tile on. Everything else stays as each decision recorded it:
the other events that it saw, the model, the rules and lists, and the thresholds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from commands.policy.past import PastPolicies
from domain.errors import InvalidInputError, NotFoundError
from domain.events import TransactionScored
from domain.features import Entity, FeatureSet, decode_held, entity_keys, feature_event
from domain.features.kernel.row_layout import IS_TRANSACTION, KIND, TIME
from domain.features.rows import row_of
from domain.policy.exploration import judged
from domain.policy.fallback import fallback
from domain.policy.score import Score
from domain.policy.suppressions import ALERTING
from domain.policy.verdict import Verdict, explored, verdict_of
from eventlog.archive.history import CountingRecord
from eventlog.events_table import EventTable
from operations.progress import Count, Say
from operations.replay.models import PastModels
from operations.replay.reading import reach_of
from operations.replay.rules_again import ruled
from operations.replay.verify import ReplayPorts, feature_sets
from projections.verification.log_side import LogSide

Vector = list[float | None]


@dataclass(frozen=True, slots=True)
class Affected:
    """One decision that would have differed; `features` are by name (served, with the event).

    `alert` is `reopen` where one was raised, `raise` where one would have been, else empty.
    """

    transaction_id: str
    position: str
    features: dict[str, tuple[float | None, float | None]]
    scores: tuple[float, float]
    outcomes: tuple[str, str]
    reasons: tuple[list[str], list[str]]
    alert: str


@dataclass(slots=True)
class Impact:
    """`looked_at` decisions were made of the same entities without the event."""

    event_id: str
    position: str
    looked_at: int = 0
    other_features: int = 0
    affected: list[Affected] = field(default_factory=list)


def impact(ports: ReplayPorts, event_id: str, say: Say, count: Count) -> Impact:
    """Raises NotFoundError for an unknown event, InvalidInputError for one that no feature folds.

    Raises UnavailableError where log or model server is away.
    """
    say("looking for the event")
    found = ports.history.named(event_id)
    if found is None:
        raise NotFoundError("event", event_id)
    event = feature_event(found.envelope)
    if event is None:
        raise InvalidInputError("--event", f"no feature depends on a {found.envelope.type}")
    known = feature_sets(ports.log)
    since = event.transaction_time if event.label is not None else event.time
    reach = max(map(reach_of, known.values()))
    say("reading the log")
    events = ports.history.events(since=since - reach)
    made = Impact(event_id, f"{found.position.partition}/{found.position.offset}")
    sides = {name: _with_event(events, each, ports, found, since) for name, each in known.items()}
    past, models = PastPolicies(ports.log, ports.language), PastModels(ports.load)
    say("deciding again")
    for number, each in enumerate(_concerned(ports, events, found, (since, since + reach))):
        data: TransactionScored = each.envelope.data
        side = sides.get(data.feature_set)
        if side is None:
            made.other_features += 1
            continue
        made.looked_at += 1
        vector = _vector(side, each, found)
        if vector != data.features:
            _decide(made, each, vector, side.features, past, models)
        count(number, number + 1)
    return made


def _with_event(
    events: EventTable, features: FeatureSet, ports: ReplayPorts, found: CountingRecord, since: int
) -> LogSide:
    """The log, in which the event has the time from which it is to count."""
    event = feature_event(found.envelope)
    assert event is not None
    side = LogSide(events, features, [end - 1 for end in ports.history.ends])
    place = found.position
    at = side.at(np.array([place.partition]), np.array([place.offset]))[0]
    rows = events.rows.copy()
    if at >= 0:
        rows[at] = row_of(place.partition, place.offset, event._replace(time=since))
    moved = EventTable(rows, events.known, events.codes, events.keys, events.transaction_ids)
    return LogSide(moved, features, side.ends)


def _concerned(
    ports: ReplayPorts, events: EventTable, found: CountingRecord, times: tuple[int, int]
) -> Iterator[CountingRecord]:
    """Decisions of the event's entities, in these times, which had not seen it."""
    event = feature_event(found.envelope)
    assert event is not None
    mask = np.zeros(len(events), dtype=bool)
    for entity, key in entity_keys(event).items():
        number = next((n for n, each in enumerate(events.keys[entity]) if each == key), -1)
        mask |= events.codes[entity] == number if number >= 0 else False
    mask &= (events.rows[:, KIND] == IS_TRANSACTION) & (events.rows[:, TIME] >= times[0])
    places = {tuple(row) for row in events.rows[mask][:, [0, 1]].tolist()}
    kind = frozenset({TransactionScored.NAME})
    for each in ports.history.counting(kind, (times[0], times[1] + 1)):
        place = each.position.partition, each.position.offset
        own = (found.position.partition, found.position.offset)
        lacks = any(not _holds(each, entity, found) for entity in entity_keys(event))
        if place in places and place != own and lacks:
            yield each


def _holds(decision: CountingRecord, entity: Entity, found: CountingRecord) -> bool:
    text = decision.envelope.data.versions.get(entity.value)
    place = found.position
    return text is None or decode_held(text).holds(place.partition, place.offset)


def _vector(side: LogSide, decision: CountingRecord, found: CountingRecord) -> Vector:
    """As served, with the event beside the states of the entities that it is about."""
    data: TransactionScored = decision.envelope.data
    place = decision.position
    at = side.at(np.array([place.partition]), np.array([place.offset]))
    out = side.request_values(at)
    event = side.at(np.array([found.position.partition]), np.array([found.position.offset]))
    for entity in side.features.entities:
        text = data.versions.get(entity.value)
        if text is None or side.events.codes[entity][at[0]] < 0:
            continue
        held = decode_held(text)
        versions = np.full((1, side.partitions), -1, dtype=np.int64)
        for partition, offset in held.upto.items():
            versions[0, partition] = offset
        rows = side.at(*np.array(held.beside, dtype=np.int64).reshape(-1, 2).T)
        beside = rows[rows >= 0]
        about = side.events.codes[entity][event[0]] == side.events.codes[entity][at[0]]
        if about and not held.holds(found.position.partition, found.position.offset):
            beside = np.append(beside, event)
        if len(beside):
            side.served_beside(entity, at, versions, [beside], out)
        else:
            side.served(entity, at, versions, out)
    return [None if value != value else value for value in out[0].tolist()]


def _decide(
    made: Impact,
    decision: CountingRecord,
    vector: Vector,
    features: FeatureSet,
    past: PastPolicies,
    models: PastModels,
) -> None:
    data: TransactionScored = decision.envelope.data
    score = _score(data, vector, features, models)
    if score is None:
        made.other_features += 1
        return
    verdict = _verdict(data, vector, features, score, past)
    same = (score.value, verdict.outcome) == (data.score, data.outcome)
    if same and verdict.reasons == data.reasons:
        return
    alert = ""
    if verdict.outcome != data.outcome:
        was, would_be = (
            judged(each.outcome, each.exploration) in ALERTING for each in (data, verdict)
        )
        alert = "reopen" if was else "raise" if would_be else ""
    both = zip(features.names, data.features, vector, strict=True)
    made.affected.append(
        Affected(
            data.transaction.transaction_id,
            f"{decision.position.partition}/{decision.position.offset}",
            {name: (mine, theirs) for name, mine, theirs in both if mine != theirs},
            (data.score, score.value),
            (data.outcome, verdict.outcome),
            (data.reasons, verdict.reasons),
            alert,
        )
    )


def _score(
    data: TransactionScored, vector: Vector, features: FeatureSet, models: PastModels
) -> Score | None:
    if data.path != "full":
        return fallback(data.transaction)
    scorer = models.of(data.model_hash)
    if isinstance(scorer, str):
        return None
    return scorer.score(data.transaction, scorer.inputs.of(features, vector))


def _verdict(
    data: TransactionScored, vector: Vector, features: FeatureSet, score: Score, past: PastPolicies
) -> Verdict:
    by_rules = None
    policy = past.of(data.policy_version)
    rules = past.compiled(policy.rules) if policy.rules and data.rules else None
    if policy.rules is not None and rules is not None:
        given = data.transaction, vector, score.value
        by_rules, _ = ruled(data, given, features, policy.rules, rules, policy.lists)
    made = verdict_of(score, data.thresholds, data.path, data.flags, by_rules)
    if policy.exploration is None:
        return made
    name = data.transaction.transaction_id
    return explored(made, policy.exploration, name, data.path, data.flags, by_rules)
