"""Proof of past decisions: each is decided again from its record, and its features from the log."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from commands.policy.feature_sets import ActivatedFeatures
from commands.policy.past import PastPolicies
from commands.policy.topic import facts
from commands.ports import LoadModel, RuleLanguage
from domain.features import CATALOGUE, FeatureSet
from eventlog.archive.history import History
from eventlog.events_table import EventTable
from eventlog.port import EventLog
from operations.progress import Count, Say
from operations.replay.decided import Decided
from operations.replay.differences import Replayed
from operations.replay.models import PastModels
from operations.replay.reading import (
    Slice,
    decided_of,
    ends_of,
    held_of,
    reach_of,
    sampled,
    slices_of,
)
from operations.replay.redecision import Recomputed, Redecision
from projections.verification.decision_side import Served, served_again
from projections.verification.log_side import LogSide

Altered = Callable[[Decided], Decided]


@dataclass(frozen=True, slots=True)
class ReplayPorts:
    """The log, what reads all of it, and what loads models and compiles rules."""

    log: EventLog
    history: History
    load: LoadModel
    language: RuleLanguage


@dataclass(frozen=True, slots=True)
class Period:
    """Event times in microseconds, half-open, None for all; about `sample` decisions of it.

    With another `salt` these are others.
    """

    begin: int | None = None
    end: int | None = None
    sample: int | None = None
    salt: str = ""


def verify(
    ports: ReplayPorts,
    period: Period,
    say: Say,
    count: Count,
    altered: Altered = lambda decided: decided,
) -> Replayed:
    """Compares every decision of the period with its replay; what is read passes `altered`.

    Raises UnavailableError where log or model server is away, IntegrityError for a damaged archive.
    """
    say("looking for decisions")
    history = ports.history
    total, parts = slices_of(history, period.begin, period.end)
    chosen = sampled(period.sample, total, period.salt)
    # What comes later is not held, where there is an end to what is asked.
    bounded = len(parts) > 1 or period.end is not None
    wanted = total if period.sample is None else min(period.sample, total)
    past, models = PastPolicies(ports.log, ports.language), PastModels(ports.load)
    known = feature_sets(ports.log)
    made = Replayed()
    for number, part in enumerate(parts, 1):
        name = f"part {number} of {len(parts)}: " if len(parts) > 1 else ""
        say(f"{name}reading the log")
        ends = ends_of(history, part, chosen) if bounded else history.ends
        side = _Sides(history, ends, part, known)
        say(f"{name}deciding again")
        for batch in decided_of(history, part, chosen):
            read = [altered(each) for each in batch]
            recomputed = side.recomputed(read)
            # By the version of the policy: it is then walked through once.
            order = sorted(range(len(read)), key=lambda i: read[i].data.policy_version)
            for i in order:
                again = Redecision(read[i], recomputed[i], past, models)
                made.add(read[i].data.path, again.differences())
            count(made.compared, wanted)
    return made


def feature_sets(log: EventLog) -> dict[str, FeatureSet]:
    """By hash all that were ever activated and can be computed here, and this version's own."""
    found = ActivatedFeatures()
    for _, fact in facts(log):
        found = found.apply(fact.data)
    return {**found.by_hash, CATALOGUE.hash: CATALOGUE}


class _Sides:
    """What the log gives for the decisions of one slice, by the feature set of each."""

    def __init__(
        self, history: History, ends: Sequence[int], part: Slice, known: dict[str, FeatureSet]
    ) -> None:
        self._known, self._ends = known, [end - 1 for end in history.ends]
        since = part.begin - max(map(reach_of, known.values()))
        self._events: EventTable = history.upto(ends).events(since=since)
        self._sides: dict[str, LogSide] = {}

    def recomputed(self, batch: Sequence[Decided]) -> list[Recomputed]:
        """In the order of the batch."""
        made: dict[int, Recomputed] = {}
        for name in {each.data.feature_set for each in batch}:
            mine = [i for i, each in enumerate(batch) if each.data.feature_set == name]
            if name not in self._known:
                made.update((i, Recomputed(None, None)) for i in mine)
                continue
            side = self._side(name)
            some = [batch[i] for i in mine]
            missing = [self._missing(side, each) for each in some]
            readable = [n for n, each in enumerate(some) if _readable(each)]
            served = [Served(d.partition, d.offset, d.data) for d in (some[n] for n in readable)]
            at, again = served_again(side, served)
            found = dict(zip(readable, zip(at.tolist(), again.tolist(), strict=True), strict=True))
            for n, i in enumerate(mine):
                row, values = found.get(n, (-1, []))
                vector = [None if v != v else v for v in values] if row >= 0 else None
                made[i] = Recomputed(side.features, vector, missing[n])
        return [made[i] for i in range(len(batch))]

    def _side(self, name: str) -> LogSide:
        if name not in self._sides:
            self._sides[name] = LogSide(self._events, self._known[name], self._ends)
        return self._sides[name]

    def _missing(self, side: LogSide, decided: Decided) -> list[str]:
        """What the decision names and the log has not: itself, events beside states, versions."""
        places = [(decided.partition, decided.offset)]
        beyond: list[str] = []
        for entity, text in decided.data.versions.items():
            held = held_of(text)
            if held is None:
                beyond.append(f"{entity}: {text}")
                continue
            places += held.beside
            past = [
                (p, o) for p, o in held.upto.items() if p >= side.partitions or o > self._ends[p]
            ]
            beyond += [f"{entity} at {p}/{o}" for p, o in past]
        asked = np.array(places, dtype=np.int64)
        rows = side.at(asked[:, 0], asked[:, 1])
        lost = [f"{p}/{o}" for (p, o), row in zip(places, rows.tolist(), strict=True) if row < 0]
        return lost + beyond


def _readable(decided: Decided) -> bool:
    return all(held_of(text) is not None for text in decided.data.versions.values())
