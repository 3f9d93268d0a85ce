"""Verification of features: what every store holds against what the log gives, bit for bit."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.errors import UnavailableError
from domain.events import TransactionScored
from domain.features import FeatureSet
from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.row_layout import IS_TRANSACTION, KIND, TIME
from domain.times import to_rfc3339
from eventlog.archive.history import History
from eventlog.events_table import EventTable
from eventlog.port import EventLog
from eventlog.topics import ENTITIES
from operations.monitoring.projection_lag import Positions, lags
from operations.progress import Count, Say, read_events
from projections.online.port import StateStore
from projections.replay.ideal import Ideal, ideal_vectors
from projections.verification.comparing import Compared, Difference
from projections.verification.decision_side import Served, compare_served
from projections.verification.log_side import LogSide
from projections.verification.online_side import compare_states
from projections.verification.planting import Planted, plant_in_states, plant_in_vectors
from projections.verification.postgres_side import compare_stored, digests
from projections.verification.reference_side import compare_reference
from projections.verification.stream_side import compare_stream, routed_of

_LOOK_SECONDS = 0.5

Vectors = Iterator[tuple[Ints, Floats]]
"""(digests of transaction ids, vectors [ids, features]) in batches."""


@dataclass(frozen=True, slots=True)
class VerificationPorts:
    """`stored` reads all vectors of a set; `retrieved` those of transactions at these event times
    (microseconds), as training reads them; `kept_since` is the first event time of which PostgreSQL
    keeps any, None for all. They raise UnavailableError."""

    log: EventLog
    history: History
    states: StateStore
    kept_since: Callable[[], int | None]
    stored: Callable[[FeatureSet], Vectors]
    retrieved: Callable[[FeatureSet, Ints], Vectors]
    positions: Callable[[], Positions]


@dataclass(frozen=True, slots=True)
class VerificationOptions:
    """Event times in microseconds, half-open; `sample` transactions for the naive reference."""

    begin: int | None = None
    end: int | None = None
    sample: int = 50
    wait_seconds: float = 900.0


@dataclass(slots=True)
class Proof:
    """All comparisons made. `notes` name what could not be compared."""

    transactions: int = 0
    compared: list[Compared] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def values(self) -> int:
        return sum(each.values for each in self.compared)

    @property
    def different(self) -> int:
        return sum(each.different for each in self.compared)


def wait_for_projections(
    positions: Callable[[], Positions], ends: Sequence[int], wait_seconds: float, say: Say
) -> None:
    """Returns once online states and vectors have reached `ends`. Raises UnavailableError."""
    until = time.monotonic() + wait_seconds
    while True:
        late = lags(positions(), ends)
        behind = {name: late[name] for name in ("features", "offline") if late[name]}
        if not behind:
            return
        text = ", ".join(f"{name} {lag:,} records behind" for name, lag in behind.items())
        if time.monotonic() > until:
            raise UnavailableError(
                "the projections", f"not at the log's end after {wait_seconds:g} s: {text}"
            )
        say(f"waiting for the projections: {text}")
        time.sleep(_LOOK_SECONDS)


class Verifier:
    """Compares each store with one reading of the log. `planted` alters only what is read."""

    def __init__(
        self,
        ports: VerificationPorts,
        options: VerificationOptions,
        say: Say,
        count: Count,
        planted: Planted | None = None,
    ) -> None:
        self._ports, self._options, self._planted = ports, options, planted
        self._say, self._count = say, count
        self.proof = Proof()

    def run(self) -> Proof:
        """Raises UnavailableError, or IntegrityError for a damaged archive."""
        # Those that are served: what is declared and not built yet has no values to compare.
        features, history = self._ports.states.features, self._ports.history
        wait_seconds = self._options.wait_seconds
        wait_for_projections(self._ports.positions, history.ends, wait_seconds, self._say)
        events = read_events(history, self._say, self._count)
        side = LogSide(events, features, [end - 1 for end in history.ends])
        self._say(f"replaying {len(events):,} events")
        ideal = ideal_vectors(events, features)
        within = self._within(events, ideal, self._kept_since())
        self.proof.transactions = int(within.sum())
        self._stored(side, ideal, within)
        self._retrieved(side, ideal, within)
        self._streamed(side)
        self._online(side)
        self._decided(side)
        self._reference(side, ideal, within)
        return self.proof

    def _kept_since(self) -> int | None:
        kept = self._ports.kept_since()
        if kept is not None and kept > (self._options.begin or 0):
            self.proof.notes.append(
                f"vectors before {to_rfc3339(kept)} are not kept (RETRACE_KEEP_MONTHS)"
            )
        return kept

    def _within(self, events: EventTable, ideal: Ideal, kept: int | None) -> NDArray[np.bool_]:
        times = events.rows[ideal.at, TIME]
        within = np.ones(len(times), dtype=bool)
        for begin in (self._options.begin, kept):
            if begin is not None:
                within &= times >= begin
        if self._options.end is not None:
            within &= times < self._options.end
        return within

    @contextmanager
    def _comparison(self, name: str, left: str, right: str) -> Iterator[Compared]:
        self._say(f"comparing {name}")
        made = Compared(name, left, right)
        yield made
        self.proof.compared.append(made)

    def _stored(self, side: LogSide, ideal: Ideal, within: NDArray[np.bool_]) -> None:
        name = "vectors in PostgreSQL"
        with self._comparison(name, "replay", "feature_vectors") as made:
            found = self._ports.stored(side.features)
            stored = self._altered(name, found, side, ideal, within)
            compare_stored(side, ideal, stored, within, made)

    def _retrieved(self, side: LogSide, ideal: Ideal, within: NDArray[np.bool_]) -> None:
        name = "Feast's historical read"
        with self._comparison(name, "replay", "get_historical_features") as made:
            times = side.events.rows[ideal.at[within], TIME]
            found = self._ports.retrieved(side.features, times)
            counted = self._counted(found, len(times))
            stored = self._altered(name, counted, side, ideal, within)
            compare_stored(side, ideal, stored, within, made)

    def _counted(self, found: Vectors, total: int) -> Vectors:
        done = 0
        for ids, values in found:
            done += len(ids)
            self._count(done, total)
            yield ids, values

    def _altered(
        self, name: str, stored: Vectors, side: LogSide, ideal: Ideal, within: NDArray[np.bool_]
    ) -> Vectors:
        if self._planted is None:
            return stored
        compared = digests(side.events.transaction_ids[ideal.at[within]].tolist())
        return plant_in_vectors(name, stored, side.features, compared, self._planted)

    def _streamed(self, side: LogSide) -> None:
        name = "the streaming fold of the entity topic"
        with self._comparison(name, "fold of the topic", "log at its versions") as made:
            seen = dict.fromkeys(side.features.entities, 0)
            for shard in range(ENTITIES.partitions):
                others = {p: 0 for p in range(ENTITIES.partitions) if p != shard}
                routed = routed_of(self._ports.log.read(ENTITIES, None, others))
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
            read = self._ports.states.read
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
                for each in self._ports.history.counting(kind)
            )
            others = compare_served(side, decisions, made)
            if others:
                self.proof.notes.append(f"{others:,} decisions were made with other features")

    def _reference(self, side: LogSide, ideal: Ideal, within: NDArray[np.bool_]) -> None:
        with self._comparison("the naive reference", "recomputed one by one", "replay") as made:
            sample, history = self._options.sample, self._ports.history
            compare_reference(side, ideal, within, history, sample, made, self._count)


def summary(proof: Proof) -> str:
    return f"compared {proof.values}, different {proof.different}"


def first_differences(proof: Proof) -> list[tuple[str, Difference]]:
    return [(each.name, found) for each in proof.compared for found in each.shown]
