"""Feast's Redis online store with versioned, atomic writes and generations, for every Feast client.

A state is kept with its version map in the same hash. The server refuses a write that does not
reach every position of the stored one: an older writer, a materialisation or a zombie can never
replace a newer state.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from feast import FeatureView, RepoConfig
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from feast.protos.feast.types.EntityKey_pb2 import EntityKey as EntityKeyProto
from feast.protos.feast.types.Value_pb2 import Value as ValueProto
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from domain.errors import IntegrityError
from domain.features import FeatureSet
from feature_repo.names import state_view
from feature_repo.served import announce
from projections.online.adapters.state_keys import address, entity_of, read_address
from projections.online.adapters.state_layout import (
    MADE,
    Indexed,
    Key,
    StateRow,
    away,
    field_of,
    generation_key,
    live_key,
    markers_key,
    markers_of,
    space_of,
    state_of,
    writers_key,
)
from projections.online.adapters.state_scripts import (
    LOST,
    Call,
    Scripts,
    claims,
    flag,
    marks,
    notes,
    sweeps,
    writes,
)
from projections.online.port import Markers, Move

Row = tuple[EntityKeyProto, dict[str, ValueProto], datetime, datetime | None]


class VersionedRedisOnlineStoreConfig(RedisOnlineStoreConfig):  # type: ignore[misc]
    """`generation` pins a keyspace; by default the live one is looked up, once a second."""

    type: Literal["projections.online.adapters.feast_store.VersionedRedisOnlineStore"] = (
        "projections.online.adapters.feast_store.VersionedRedisOnlineStore"
    )
    socket_timeout: float = 2.0
    generation: int | None = None
    pointer_seconds: float = 1.0


class VersionedRedisOnlineStore(RedisOnlineStore):  # type: ignore[misc]
    """Feast's Redis store with an atomic compare-and-write, timeouts and generations."""

    _client: Any = None
    _live: tuple[float, str] | None = None
    _met: str | None = None
    # Pins this instance, as the setting of the same name pins all of a process.
    generation: int | None = None

    def _get_client(self, online_store_config: Any) -> Any:
        if not self._client:
            nodes, options = self._parse_connection_string(online_store_config.connection_string)
            options.setdefault("socket_timeout", online_store_config.socket_timeout)
            options.setdefault("socket_connect_timeout", online_store_config.socket_timeout)
            self._client = Redis(
                host=nodes[0]["host"],
                port=int(nodes[0]["port"]),
                # One immediate retry: the server may have closed the connection.
                retry=Retry(NoBackoff(), 1),
                protocol=2,
                **options,
            )
        return self._client

    def space(self, config: RepoConfig) -> str:
        """The key suffix of the keyspace in use: `<project>.g<generation>`."""
        settings = config.online_store
        pinned = settings.generation if self.generation is None else self.generation
        if pinned is not None:
            space = space_of(config.project, pinned)
            # The setting is for clients that read through views; a pinned instance writes.
            if self.generation is None and self._met != space:
                self._meet(config, space)
                self._met = space
            return space
        now, live = time.monotonic(), self._live
        if live is None or now - live[0] > settings.pointer_seconds:
            found = self._resolve(config)
            if live is None or live[1] != found:
                self._meet(config, found)
            live = self._live = now, found
        return live[1]

    def _resolve(self, config: RepoConfig) -> str:
        try:
            stored = self._get_client(config.online_store).get(live_key(config.project))
        except RedisError as error:
            raise away(error) from error
        return space_of(config.project, int(stored) if stored else 1)

    def _meet(self, config: RepoConfig, space: str) -> None:
        """Announces the features of the states that are read from now on to the on-demand views."""
        try:
            text = self._get_client(config.online_store).hget(generation_key(space), "features")
        except RedisError as error:
            raise away(error) from error
        if text is not None:
            # Of another version of the semantics: this process refuses those states.
            with suppress(IntegrityError):
                announce(FeatureSet.from_json(text.decode()))

    def _generate_redis_keys_for_entities(
        self, config: RepoConfig, entity_keys: list[EntityKeyProto]
    ) -> list[bytes]:
        suffix = self.space(config).encode()
        version = config.entity_key_serialization_version
        return [serialize_entity_key(key, version) + suffix for key in entity_keys]

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """For Feast's own callers: a row that is older than what is stored is skipped."""
        name = table.name
        rows = [_row(name, key, row[name].bytes_val) for key, row, _, _ in data if name in row]
        if len(rows) < len(data):
            raise NotImplementedError(f"{table.name}: only states are kept in this store")
        if LOST in self.write_states(config, rows):
            raise IntegrityError(
                f"{self.space(config)} is no keyspace of online states: `retrace up` begins one"
            )
        if progress:
            progress(len(data))

    async def online_write_batch_async(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        self.online_write_batch(config, table, data, progress)

    def write_states(
        self, config: RepoConfig, rows: Sequence[StateRow], moves: Sequence[Move] = ()
    ) -> list[int]:
        """Writes states and notes the moves of markers that they allow, in one round trip.

        Per row WRITTEN, EQUAL (that version was there), REFUSED (the stored one knows more) or LOST
        (the keyspace is gone, or the index of its shard). Raises UnavailableError; what was written
        before stays, and writing the same rows again is harmless.
        """
        space = self.space(config)
        calls = writes(space, rows) + notes(space, moves)
        return self._eval(config, calls)[: len(rows)]

    def read_states(
        self, config: RepoConfig, keys: Sequence[Key]
    ) -> tuple[Markers, list[bytes | None], frozenset[Key]]:
        """The stored state of each key, or None, the markers as of before, and whose is lost.

        So each state covers what its marker says; `made` is as of after. One round trip. Raises
        UnavailableError.
        """
        space = self.space(config)
        client, markers = self._get_client(config.online_store), markers_key(space)
        addresses = [address(*key) for key in keys]
        indexed = Indexed(space, keys, addresses)
        try:
            with client.pipeline(transaction=False) as pipe:
                for index, names in indexed.asked:
                    pipe.smismember(index, names)
                pipe.hgetall(markers)
                for (entity, _), at in zip(keys, addresses, strict=True):
                    pipe.hget(at + space.encode(), field_of(state_view(entity)))
                pipe.hexists(markers, MADE)
                answers = pipe.execute()
        except RedisError as error:
            raise away(error) from error
        told, (stored, *found, made) = answers[: len(indexed.asked)], answers[len(indexed.asked) :]
        states = [state_of(value) if value else None for value in found]
        return replace(markers_of(stored), made=bool(made)), states, indexed.lost(told, found)

    def markers(self, config: RepoConfig) -> Markers:
        """Raises UnavailableError."""
        try:
            stored = self._get_client(config.online_store).hgetall(markers_key(self.space(config)))
        except RedisError as error:
            raise away(error) from error
        return markers_of(stored)

    def claim(
        self, config: RepoConfig, nexts: Mapping[int, int], anew: Collection[int]
    ) -> list[int]:
        """As StateStore.claim: per shard its epoch, or LOST. One round trip.

        Raises UnavailableError.
        """
        return self._eval(config, claims(self.space(config), nexts, anew))

    def sweep(
        self, config: RepoConfig, cursors: Mapping[int, int]
    ) -> tuple[dict[int, int], list[Key]]:
        """As StateStore.sweep. One round trip. Raises UnavailableError."""
        answers = self._run(config, sweeps(self.space(config), cursors))
        lost = [read_address(name) for _, *names in answers for name in names]
        return {s: int(nxt) for s, (nxt, *_) in zip(cursors, answers, strict=True)}, lost

    def epochs(self, config: RepoConfig) -> dict[int, int]:
        """As StateStore.epochs. Raises UnavailableError."""
        try:
            stored = self._get_client(config.online_store).hgetall(writers_key(self.space(config)))
        except RedisError as error:
            raise away(error) from error
        named = [
            (*name.decode().split(":"), int(value))
            for name, value in stored.items()
            if name.startswith(b"epoch:")
        ]
        return {int(shard): epoch for _, shard, epoch in named}

    def mark(self, config: RepoConfig, moves: Sequence[Move], noted: bool) -> list[int]:
        """Moves markers, each in one step; `noted` where `write_states` was given the moves.

        Per move WRITTEN, REFUSED (another writer has claimed or moved it, or the note is gone) or
        LOST (there is none any more). One round trip. Raises UnavailableError.
        """
        return self._eval(config, marks(self.space(config), moves, noted))

    def flag_rebuilding(self, config: RepoConfig, shard: int, on: bool, epoch: int) -> int:
        """While it is set, readers flag their vectors: WRITTEN, REFUSED (another writer has claimed
        the shard) or LOST. Raises UnavailableError.
        """
        return self._eval(config, [flag(self.space(config), shard, on, epoch)])[0]

    def _eval(self, config: RepoConfig, calls: Sequence[Call]) -> list[int]:
        return [int(answer) for answer in self._run(config, calls)]

    def _run(self, config: RepoConfig, calls: Sequence[Call]) -> list[Any]:
        scripts: Scripts = self.__dict__.setdefault("_scripts", Scripts())
        return scripts.run(self._get_client(config.online_store), calls)

    def delete_table(self, config: RepoConfig, table: FeatureView) -> None:
        super().delete_table(self._in_space(config), table)

    def delete_entity_values(self, config: RepoConfig, join_keys: list[str]) -> None:
        super().delete_entity_values(self._in_space(config), join_keys)

    def _in_space(self, config: RepoConfig) -> RepoConfig:
        scoped = config.model_copy()
        scoped.project = self.space(config)
        return scoped


def _row(view: str, proto: EntityKeyProto, state: bytes) -> StateRow:
    entity, key = entity_of(proto)
    if view != state_view(entity):
        raise NotImplementedError(f"{view}: only states are kept in this store")
    return StateRow(entity, key, state)
