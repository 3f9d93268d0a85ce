"""Online states for processes that decide: Feast's values in Redis, one round trip on the loop.

The keyspace and the layout are those of FeastStateStore, which finds them; what is asked here for
each decision is the live generation, what was answered, the markers and the states.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from domain.errors import UnavailableError
from domain.features import Entity, EntityState
from feature_repo.names import state_view
from projections.online.adapters.feast_states import FeastStateStore, Keyspace
from projections.online.adapters.redis_link import Command, RedisLink, Reply
from projections.online.adapters.state_keys import address
from projections.online.adapters.state_layout import (
    MADE,
    Indexed,
    Key,
    answered_key,
    field_of,
    live_key,
    markers_key,
    markers_of,
    space_of,
    state_of,
)
from projections.online.port import Markers, Read, greatest, version_of_text, version_text

if TYPE_CHECKING:
    from feast import RepoConfig


class RedisServingStates:
    """Implements projections.online.port.ServingStates, for the process called `instance`."""

    def __init__(self, config: RepoConfig, link: RedisLink, instance: str) -> None:
        self._states, self._link, self._instance = FeastStateStore(config), link, instance
        self._project = config.project
        self._space: Keyspace | None = None
        self._markers: tuple[list[bytes], Markers] | None = None
        self._answered: tuple[list[bytes], Mapping[int, int]] | None = None

    async def read(self, keys: Sequence[tuple[Entity, str]]) -> Read:
        space = self._space or await self._found()
        (live, answered, stored, *found, made), lost = await self._asked(space, keys)
        if int(live or 0) != space.number or (space.number and not made):
            # Another generation was swapped in, or this one was removed.
            space = await self._found()
            (live, answered, stored, *found, made), lost = await self._asked(space, keys)
            if space.number and not made:
                raise UnavailableError("redis", f"generation {space.number} was removed, or lost")
        # In the order of the keys; of entities that no feature asks for none is kept.
        values = iter(found)
        states = []
        for entity, key in keys:
            value = next(values) if entity in space.features.by_entity else None
            data = None if value is None else state_of(value)
            states.append(EntityState.stored(entity, key, data, space.features))
        markers, told = self._markers_in(stored), self._answered_in(answered)
        return Read(space.features, markers, states, lost, told)

    async def answered(self, positions: Mapping[int, int]) -> None:
        told = version_text(positions)
        await self._link.run([("HSET", answered_key(self._project), self._instance, told)])

    def markers(self) -> Markers:
        return self._states.markers()

    async def _found(self) -> Keyspace:
        # Now and then, and of several keys: Feast's own client asks, in a thread.
        self._space = await asyncio.to_thread(self._states.keyspace)
        return self._space

    async def _asked(
        self, space: Keyspace, keys: Sequence[Key]
    ) -> tuple[list[Reply], frozenset[Key]]:
        suffix = space_of(self._project, space.number)
        markers, end = markers_key(suffix), suffix.encode()
        wanted = [key for key in keys if key[0] in space.features.by_entity]
        addresses = [address(*key) for key in wanted]
        indexed = Indexed(suffix, wanted, addresses)
        commands: list[Command] = [("SMISMEMBER", name, *names) for name, names in indexed.asked]
        commands += [
            ("GET", live_key(self._project)),
            ("HGETALL", answered_key(self._project)),
            ("HGETALL", markers),
        ]
        for (entity, _), at in zip(wanted, addresses, strict=True):
            commands.append(("HGET", at + end, field_of(state_view(entity))))
        commands.append(("HEXISTS", markers, MADE))
        replies = await self._link.run(commands)
        told, rest = replies[: len(indexed.asked)], replies[len(indexed.asked) :]
        return rest, indexed.lost(told, rest[3:-1])

    def _markers_in(self, stored: list[bytes]) -> Markers:
        """Most often they are those of the read before."""
        if self._markers is None or self._markers[0] != stored:
            pairs = dict(zip(stored[::2], stored[1::2], strict=True))
            self._markers = stored, markers_of(pairs)
        return self._markers[1]

    def _answered_in(self, stored: list[bytes]) -> Mapping[int, int]:
        if self._answered is None or self._answered[0] != stored:
            told = (version_of_text(text.decode()) for text in stored[1::2])
            self._answered = stored, greatest(told)
        return self._answered[1]
