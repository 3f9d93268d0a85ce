"""Owns reading how far each projection has come, from the projections themselves; moves nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import redis
from psycopg.rows import tuple_row
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from domain.errors import UnavailableError
from domain.features import CATALOGUE
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.port import Marker, Markers
from runtime.settings import Settings

PROJECTIONS = ("features", "offline", "readmodels", "evidence")
"""The workers that project TRANSACTIONS; `features` counts what is readable online."""

Positions = Mapping[str, Mapping[int, int]]
"""Per projection and partition the offset of the next record to project."""

_PROJECT = "retrace"
_POSTGRES = "SELECT projection, partition, next_offset FROM projection_positions WHERE topic = %s"
_SECONDS = 5


class ProjectionPositions:
    """Blocking; one thread at a time. Raises UnavailableError."""

    def __init__(self, settings: Settings) -> None:
        self._redis = redis.Redis.from_url(settings.redis_url, socket_timeout=_SECONDS)
        self._mongo: MongoClient[dict[str, Any]] = MongoClient(
            settings.mongodb_url, serverSelectionTimeoutMS=_SECONDS * 1000
        )
        self._database_url = settings.database_url.replace("+psycopg", "", 1)
        self._connection: psycopg.Connection[Any] | None = None
        self._keyspace = ""

    def read(self) -> Positions:
        covered = self.markers().covered(TRANSACTIONS.partitions, ENTITIES.partitions)
        stored = self._postgres()
        return {
            "features": {partition: last + 1 for partition, last in covered.items()},
            "offline": stored.get(f"offline.{CATALOGUE.hash}", {}),
            "readmodels": stored.get("readmodels", {}),
            "evidence": self._evidence(),
        }

    def markers(self) -> Markers:
        """Where the online states are; cheap enough to be asked every few milliseconds."""
        try:
            if not self._keyspace:
                live = self._redis.get(f"retrace:live:{_PROJECT}")
                self._keyspace = f"{_PROJECT}.g{int(live) if live else 1}"  # type: ignore[arg-type]
            stored: Any = self._redis.hgetall(f"retrace:markers:{self._keyspace}")
        except redis.RedisError as error:
            raise UnavailableError("redis", str(error)) from error
        places = {
            int(name[3:]): Marker.from_text(value.decode())
            for name, value in stored.items()
            if name.startswith(b"at:")
        }
        return Markers(places, frozenset())

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The answer of PostgreSQL, on a connection of its own; a broken one is opened anew."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._database_url,
                    autocommit=True,
                    connect_timeout=_SECONDS,
                    application_name="retrace demo",
                )
            return self._connection.cursor(row_factory=tuple_row).execute(query, values).fetchall()
        except psycopg.Error as error:
            raise UnavailableError("postgresql", str(error)) from error

    def close(self) -> None:
        self._redis.close()
        self._mongo.close()
        if self._connection is not None:
            self._connection.close()

    def _postgres(self) -> dict[str, dict[int, int]]:
        found: dict[str, dict[int, int]] = {}
        for projection, partition, following in self.rows(_POSTGRES, TRANSACTIONS.name):
            found.setdefault(projection, {})[partition] = following
        return found

    def _evidence(self) -> dict[int, int]:
        positions = self._mongo.get_default_database("retrace")["positions"]
        wanted = {"_id": {"$regex": f"^evidence/{TRANSACTIONS.name}/"}}
        try:
            return {
                int(each["_id"].rpartition("/")[2]): int(each["next_offset"])
                for each in positions.find(wanted)
            }
        except PyMongoError as error:
            raise UnavailableError("mongodb", str(error)) from error


def lags(positions: Positions, ends: Sequence[int]) -> dict[str, int]:
    """Per projection how many records of the log it has not projected yet."""
    return {
        name: sum(max(0, end - reached.get(p, 0)) for p, end in enumerate(ends))
        for name, reached in positions.items()
    }
