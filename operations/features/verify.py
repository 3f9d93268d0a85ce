"""Owns the proof over all stores: what the log gives, against what is stored, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import psycopg
from numpy.typing import NDArray

from domain.errors import UnavailableError
from domain.events import TransactionScored
from domain.features import FeatureSet
from domain.features.kernel.arrays import Floats, Ints
from domain.features.rows import IS_TRANSACTION, KIND, TIME
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.archive.history import History
from eventlog.events_table import EventTable
from eventlog.topics import ENTITIES
from operations.monitoring.projection_lag import ProjectionPositions, lags
from projections.online.adapters.feast_repo import feature_store, repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.replay.ideal import Ideal, ideal_vectors
from projections.verification.comparing import Compared, Difference
from projections.verification.decision_side import Served, compare_served
from projections.verification.feast_side import retrieved_vectors
from projections.verification.log_side import LogSide
from projections.verification.online_side import compare_states
from projections.verification.planting import Planted, plant_in_states, plant_in_vectors
from projections.verification.postgres_side import compare_stored, digests, stored_vectors
from projections.verification.reference_side import compare_reference
from projections.verification.stream_side import compare_stream, routed_of
from runtime.settings import Settings

_LOOK_SECONDS = 0.5
_RETRIEVED_AT_ONCE = 100_000

Say = Callable[[str], None]
"""Is told which step begins."""
Count = Callable[[int, int], None]
"""Is told how much of a step is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Event times in microseconds, half-open; `sample` transactions for the naive reference."""

    begin: int | None = None
    end: int | None = None
    sample: int = 50
    wait_seconds: float = 900.0


@dataclass(slots=True)
class Proof:
    """What was compared with what. `notes` say what could not be."""

    transactions: int = 0
    compared: list[Compared] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def values(self) -> int:
        return sum(each.values for each in self.compared)

    @property
    def different(self) -> int:
        return sum(each.different for each in self.compared)


def wait_for_projections(settings: Settings, ends: Sequence[int], wanted: Wanted, say: Say) -> None:
    """Returns once online states and vectors have reached `ends`. Raises UnavailableError."""
    positions = ProjectionPositions(settings)
    until = time.monotonic() + wanted.wait_seconds
    try:
        while True:
            late = lags(positions.read(), ends)
            behind = {name: late[name] for name in ("features", "offline") if late[name]}
            if not behind:
                return
            text = ", ".join(f"{name} {lag:,} records behind" for name, lag in behind.items())
            if time.monotonic() > until:
                raise UnavailableError(
                    "the projections",
                    f"not at the log's end after {wanted.wait_seconds:g} s: {text}",
                )
            say(f"waiting for the projections: {text}")
            time.sleep(_LOOK_SECONDS)
    finally:
        positions.close()


class Verifier:
    """One proof over one reading of the log. `planted` alters what is read, and nothing stored."""

    def __init__(
        self,
        settings: Settings,
        log: KafkaEventLog,
        history: History,
        wanted: Wanted,
        say: Say,
        count: Count,
        planted: Planted | None = None,
    ) -> None:
        self._settings, self._log, self._history = settings, log, history
        self._wanted, self._say, self._count, self._planted = wanted, say, count, planted
        self._states = FeastStateStore(repo_config(settings))
        self.proof = Proof()

    def run(self) -> Proof:
        """Raises UnavailableError, or IntegrityError for a damaged archive."""
        features = self._features()
        wait_for_projections(self._settings, self._history.ends, self._wanted, self._say)
        self._say("reading the log")
        total, read = sum(self._history.ends), [0]

        def progress(more: int) -> None:
            read[0] += more
            self._count(read[0], total)

        events = self._history.events(progress)
        side = LogSide(events, features, [end - 1 for end in self._history.ends])
        self._say(f"replaying {len(events):,} events")
        ideal = ideal_vectors(events, features)
        within = self._within(events, ideal)
        self.proof.transactions = int(within.sum())
        self._stored(side, ideal, within)
        self._retrieved(side, ideal, within)
        self._streamed(side)
        self._online(side)
        self._decided(side)
        self._reference(side, ideal, within)
        return self.proof

    def _features(self) -> FeatureSet:
        """Those that are served: what is declared and not yet built is no matter here."""
        return self._states.features

    def _within(self, events: EventTable, ideal: Ideal) -> NDArray[np.bool_]:
        times = events.rows[ideal.at, TIME]
        within = np.ones(len(times), dtype=bool)
        if self._wanted.begin is not None:
            within &= times >= self._wanted.begin
        if self._wanted.end is not None:
            within &= times < self._wanted.end
        return within

    @contextmanager
    def _comparison(self, name: str, left: str, right: str) -> Iterator[Compared]:
        self._say(f"comparing {name}")
        made = Compared(name, left, right)
        yield made
        self.proof.compared.append(made)

    def _stored(self, side: LogSide, ideal: Ideal, within: NDArray[np.bool_]) -> None:
        name = "vectors in PostgreSQL"
        with self._comparison(name, "replay", "feature_vectors") as made, self._postgres() as pg:
            stored = self._altered(name, stored_vectors(pg, side.features), side, ideal, within)
            compare_stored(side, ideal, stored, within, made)

    def _retrieved(self, side: LogSide, ideal: Ideal, within: NDArray[np.bool_]) -> None:
        name = "Feast's historical read"
        with self._comparison(name, "replay", "get_historical_features") as made:
            store = feature_store(self._settings)
            times = side.events.rows[ideal.at[within], TIME]
            found = retrieved_vectors(store, side.features, times, _RETRIEVED_AT_ONCE)
            counted = self._counted(found, len(times))
            stored = self._altered(name, counted, side, ideal, within)
            compare_stored(side, ideal, stored, within, made)

    def _counted(
        self, found: Iterator[tuple[Ints, Floats]], total: int
    ) -> Iterator[tuple[Ints, Floats]]:
        done = 0
        for ids, values in found:
            done += len(ids)
            self._count(done, total)
            yield ids, values

    def _altered(
        self,
        name: str,
        stored: Iterator[tuple[Ints, Floats]],
        side: LogSide,
        ideal: Ideal,
        within: NDArray[np.bool_],
    ) -> Iterator[tuple[Ints, Floats]]:
        if self._planted is None:
            return stored
        compared = digests(side.events.transaction_ids[ideal.at[within]].tolist())
        return plant_in_vectors(name, stored, side.features, compared, self._planted)

    @contextmanager
    def _postgres(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        url = self._settings.database_url.replace("+psycopg", "", 1)
        try:
            with psycopg.connect(url, connect_timeout=5) as connection:
                yield connection
        except psycopg.Error as error:
            raise UnavailableError("postgresql", str(error)) from error

    def _streamed(self, side: LogSide) -> None:
        name = "the streaming fold of the entity topic"
        with self._comparison(name, "fold of the topic", "log at its versions") as made:
            seen = dict.fromkeys(side.features.entities, 0)
            for shard in range(ENTITIES.partitions):
                others = {p: 0 for p in range(ENTITIES.partitions) if p != shard}
                routed = routed_of(self._log.read(ENTITIES, None, others))
                for entity, number in compare_stream(side, routed, made).items():
                    seen[entity] += number
                self._count(shard + 1, ENTITIES.partitions)
            transactions = side.events.rows[:, KIND] == IS_TRANSACTION
            for entity, number in seen.items():
                logged = int((transactions & (side.events.codes[entity] >= 0)).sum())
                if number < logged:
                    self.proof.notes.append(
                        f"the entity topic holds {number:,} of {logged:,} transactions of a "
                        f"{entity.value}: it keeps a week, or began anew"
                    )

    def _online(self, side: LogSide) -> None:
        with self._comparison("online states", "log at their versions", "Redis") as made:
            read = self._states.read
            altered = plant_in_states(read, self._planted) if self._planted else read
            total = sum(len(side.events.keys[entity]) for entity in side.features.entities)
            done = 0
            for entity in side.features.entities:
                for number in compare_states(side, altered, entity, made):
                    done += number
                    self._count(done, total)

    def _decided(self, side: LogSide) -> None:
        with self._comparison("served vectors", "log at their versions", "decisions") as made:
            kind = frozenset({TransactionScored.NAME})
            decisions = (
                Served(each.position.partition, each.position.offset, each.envelope.data)
                for each in self._history.counting(kind)
            )
            others = compare_served(side, decisions, made)
            if others:
                self.proof.notes.append(f"{others:,} decisions were made with other features")

    def _reference(self, side: LogSide, ideal: Ideal, within: NDArray[np.bool_]) -> None:
        with self._comparison("the naive reference", "recomputed one by one", "replay") as made:
            compare_reference(
                side, ideal, within, self._history, self._wanted.sample, made, self._count
            )


def summary(proof: Proof) -> str:
    return f"compared {proof.values}, different {proof.different}"


def first_differences(proof: Proof) -> list[tuple[str, Difference]]:
    return [(each.name, found) for each in proof.compared for found in each.shown]
