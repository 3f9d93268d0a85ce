"""Real stores as the audit asks them: what they hold, and whether they have come to rest."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Engine, text

from domain.errors import UnavailableError
from domain.events import AlertDelivered, AlertRaised
from domain.features import Entity, FeatureSet
from domain.times import from_datetime
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.codec import decode
from eventlog.port import EventLog, Recorded
from eventlog.topics import ALERTS, DEAD_LETTERS, INBOX_TRANSACTIONS, TRANSACTIONS, Topic
from faults.audit.evidence import (
    Answer,
    Evidence,
    IndexEvidence,
    MemoryEvidence,
    ProjectionEvidence,
    VectorRow,
)
from faults.audit.evidence import Post as AlertPost
from faults.audit.reading import Reading, read
from faults.gather import index_evidence
from host.clock import now_us
from operations.monitoring.projection_lag import PositionReaders, lags, read_positions
from projections.offline.port import projection_of
from projections.online.port import StateStore
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.driver import driver_cursor
from projections.readmodels.storage.positions import counts_of, positions_of
from runtime.composition.features import states_of
from runtime.composition.log import open_log
from runtime.composition.positions import open_positions
from runtime.composition.read_models import LONG_SECONDS, open_engine
from runtime.settings import Settings

_AT_ONCE = 500
# Memories of the ids of TRANSACTIONS; those of agents know other topics.
_MEMORIES = ("features", "offline", "readmodels", "evidence", "archive")
_INDEXES = ("api", "decisions")


@dataclass(frozen=True, slots=True)
class Stores:
    """Of a running installation. Every method raises UnavailableError."""

    settings: Settings
    log: EventLog
    states: StateStore
    engine: Engine
    positions: PositionReaders

    def unrest(self) -> list[str]:
        """What has not come to the end of what it reads; empty at rest."""
        ends = self._ends(TRANSACTIONS)
        late = lags(read_positions(self.positions), ends)
        found = [f"{name} is {lag} records behind" for name, lag in late.items() if lag]
        markers = self.states.markers()
        found += [f"shard {shard} is being rebuilt" for shard in sorted(markers.rebuilding)]
        alerts = self._positions("readmodels", ALERTS)
        behind = lags({"alerts": alerts}, self._ends(ALERTS))["alerts"]
        if behind:
            found.append(f"alerts in PostgreSQL are {behind} records behind")
        if waiting := self._undelivered():
            found.append(f"{len(waiting)} alerts are not delivered, {min(waiting)} is one of them")
        return found

    def evidence(
        self, answers: Sequence[Answer], posts: Sequence[AlertPost] | None, imported: Sequence[str]
    ) -> tuple[Evidence, Reading]:
        """All that is stored at this moment, and the reading of its log."""
        features = self.states.features
        logged = Evidence(
            now=now_us(),
            transactions=self._records(TRANSACTIONS),
            alerts=self._records(ALERTS),
            dead_letters=self._records(DEAD_LETTERS)[0],
            inbox=self._records(INBOX_TRANSACTIONS),
            answers=answers,
            imported=imported,
            posts=posts,
            features=features,
            dead_letter_key=self.settings.dead_letter_key,
        )
        reading = read(logged)
        return replace(
            logged,
            states=self._states(reading, features),
            markers=self.states.markers(),
            vectors=self._vectors(features),
            read_models=self._read_models(features),
            labels=self._labels(),
        ), reading

    def _ends(self, topic: Topic) -> list[int]:
        async def asked() -> list[int]:
            return list(await self.log.ends(topic))

        return asyncio.run(asked())

    def _records(self, topic: Topic) -> list[list[Recorded]]:
        found: list[list[Recorded]] = [[] for _ in range(topic.partitions)]
        for recorded in self.log.read(topic):
            found[recorded.position.partition].append(recorded)
        return found

    def _undelivered(self) -> set[str]:
        raised, delivered = set(), set()
        for recorded in self.log.read(ALERTS):
            data = decode(recorded.value).data
            if isinstance(data, AlertRaised):
                raised.add(data.alert_id)
            elif isinstance(data, AlertDelivered):
                delivered.add(data.alert_id)
        return raised - delivered

    def _states(self, reading: Reading, features: FeatureSet) -> dict[tuple[Entity, str], bytes]:
        """Those of the entities that the log names."""
        events = reading.events
        keys = [(entity, key) for entity in features.entities for key in events.keys[entity]]
        found: dict[tuple[Entity, str], bytes] = {}
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            for key, state in zip(some, self.states.read(some).states, strict=True):
                if state.version:
                    found[key] = state.to_bytes()
        return found

    def _vectors(self, features: FeatureSet) -> dict[str, VectorRow]:
        names = sql.SQL(", ").join(map(sql.Identifier, features.names))
        asked = sql.SQL(
            "SELECT transaction_id, created, {names} FROM feature_vectors WHERE feature_set = {set}"
        ).format(names=names, set=sql.Literal(features.hash))
        url = self.settings.database_url.replace("+psycopg", "", 1)
        try:
            with psycopg.connect(url, connect_timeout=5) as connection:
                rows = connection.execute(asked).fetchall()
        except psycopg.Error as error:
            raise UnavailableError("postgresql", str(error)) from error
        return {
            name: VectorRow(known=from_datetime(created), values=values)
            for name, created, *values in rows
        }

    def _read_models(self, features: FeatureSet) -> dict[str, ProjectionEvidence]:
        evidence = self.positions["evidence"]()
        return {
            "transactions": self._projection("readmodels", "readmodels", TRANSACTIONS),
            "alerts": replace(self._projection("readmodels", "readmodels", ALERTS), counts=None),
            "offline": self._projection("offline", projection_of(features), TRANSACTIONS),
            "evidence": ProjectionEvidence(
                reader="evidence", topic=TRANSACTIONS.name, positions=evidence
            ),
        }

    def _projection(self, reader: str, name: str, topic: Topic) -> ProjectionEvidence:
        with transaction(self.engine) as connection:
            counts = counts_of(driver_cursor(connection), name, topic.name)
        return ProjectionEvidence(
            reader=reader, topic=topic.name, positions=self._positions(name, topic), counts=counts
        )

    def _positions(self, name: str, topic: Topic) -> dict[int, int]:
        with transaction(self.engine) as connection:
            return positions_of(driver_cursor(connection), name, topic.name)

    def _labels(self) -> dict[str, int]:
        with transaction(self.engine) as connection:
            rows = connection.execute(text("SELECT transaction_id, value FROM current_labels"))
            return {name: int(value) for name, value in rows}


@contextmanager
def open_stores(settings: Settings) -> Iterator[Stores]:
    """Connects to a server when it is first used, not before."""
    with (
        open_log(settings) as log,
        open_engine(settings, LONG_SECONDS) as engine,
        open_positions(settings) as positions,
    ):
        yield Stores(settings, log, states_of(settings), engine, positions)


def memories(state_dir: Path, reading: Reading) -> list[MemoryEvidence]:
    """The memories of ids of processes that have ended, as far as the log names the ids."""
    labels = {label.envelope.id for label in reading.labels()}
    return [
        _memory(path, reading.lives, labels)
        for name in _MEMORIES
        if (path := state_dir / "ledger" / f"{name}.sqlite").exists()
    ]


def indexes(state_dir: Path) -> list[IndexEvidence]:
    """The indexes of ids of processes that have ended."""
    return [
        found
        for name in _INDEXES
        for path in sorted((state_dir / "ledger" / name).glob("*.ids"))
        if (found := index_evidence(name, int(path.stem), memoryview(path.read_bytes())))
    ]


def _memory(path: Path, names: Mapping[str, object], labels: set[str]) -> MemoryEvidence:
    with closing(SqliteMemory(path)) as memory:
        memory.prefetch(names, ())
        return MemoryEvidence(
            name=path.stem,
            positions=memory.positions(),
            known={name: known for name in names if (known := memory.known(name))},
            labels={each: place for each in labels if (place := memory.label(each)) is not None},
        )
