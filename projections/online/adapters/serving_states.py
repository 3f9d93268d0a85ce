"""Online states for processes that decide: Feast's values in Redis, one round trip on the loop.

The keyspace and the layout are those of FeastStateStore, which finds them; what is asked here for
each decision is the live generation, the markers, and the states with the recent events beside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from domain.errors import UnavailableError
from domain.features import EntityState
from domain.features.kernel.row_layout import OFFSET, PARTITION
from domain.features.rows import row_bytes
from domain.features.state import Row
from domain.times import SECOND
from feature_repo.names import state_view
from projections.online.adapters.feast_states import FeastStateStore, Keyspace
from projections.online.adapters.redis_link import Command, RedisLink, Reply
from projections.online.adapters.state_keys import address
from projections.online.adapters.state_layout import (
    FIELDS,
    MADE,
    Indexed,
    Key,
    field_of,
    live_key,
    markers_key,
    markers_of,
    members_key,
    recents_of,
    space_of,
    state_of,
)
from projections.online.adapters.state_scripts import CUT
from projections.online.port import Markers, Read, Recents

if TYPE_CHECKING:
    from feast import RepoConfig

# Beside a state lie so many fields at most, its own among them.
_ROOM = FIELDS + 256
# Who has been silent for longer has ended, and answers nothing.
_FORGOTTEN_US = 600 * SECOND
_NO_RECENTS = Recents()


class RedisServingStates:
    """Implements projections.online.port.ServingStates, for the process called `instance`."""

    def __init__(self, config: RepoConfig, link: RedisLink, instance: str) -> None:
        self._states, self._link, self._instance = FeastStateStore(config), link, instance
        self._project = config.project
        self._space: Keyspace | None = None
        self._markers: tuple[list[bytes], Markers] | None = None

    @property
    def connection(self) -> int:
        return self._link.connections

    async def read(self, keys: Sequence[Key]) -> Read:
        read = await self._read(self._space or await self._found(), keys)
        if read is None:
            # Another generation was swapped in, or this one was removed.
            space = await self._found()
            read = await self._read(space, keys)
            if read is None:
                raise UnavailableError("redis", f"generation {space.number} was removed, or lost")
        return read

    async def _read(self, space: Keyspace, keys: Sequence[Key]) -> Read | None:
        """None where this generation is not the live one, or is gone."""
        suffix = space_of(self._project, space.number)
        markers, end = markers_key(suffix), suffix.encode()
        # Of entities that no feature asks for nothing is kept.
        wanted = [key for key in keys if key[0] in space.features.by_entity]
        addresses = [address(*key) for key in wanted]
        indexed = Indexed(suffix, wanted, addresses)
        commands: list[Command] = [("SMISMEMBER", name, *names) for name, names in indexed.asked]
        commands += [
            ("GET", live_key(self._project)),
            ("TIME",),
            ("HGETALL", members_key(self._project)),
            ("HGETALL", markers),
            # A state and what lies beside it are read in one step.
            *(("HGETALL", at + end) for at in addresses),
            ("HEXISTS", markers, MADE),
        ]
        replies = await self._link.run(commands)
        told = [replies.pop(0) for _ in indexed.asked]
        live, time, members, stored, *found, made = replies
        if int(live or 0) != space.number or (space.number and not made):
            return None
        fields = [dict(zip(each[::2], each[1::2], strict=True)) for each in found]
        values = [
            each.get(field_of(state_view(entity)))
            for (entity, _), each in zip(wanted, fields, strict=True)
        ]
        beside = dict(zip(wanted, zip(values, fields, strict=True), strict=True))
        states, recents = [], []
        for key in keys:
            value, held = beside.get(key, (None, {}))
            data = None if value is None else state_of(value)
            states.append(EntityState.stored(*key, data, space.features))
            alone = not held or (data is not None and len(held) == FIELDS)
            recents.append(_NO_RECENTS if alone else recents_of(held))
        lost, silent = indexed.lost(told, values), _is_silent(members, _micros(time))
        return Read(space.features, self._markers_in(stored), states, lost, recents, silent)

    async def push(self, keys: Sequence[Key], row: Row, room: bool) -> None:
        space = self._space or await self._found()
        if await self._pushed(space, keys, row, room) != space.number:
            # Read from now on is another one.
            await self._pushed(await self._found(), keys, row, room)

    async def _pushed(self, space: Keyspace, keys: Sequence[Key], row: Row, room: bool) -> int:
        """Returns the number of the live generation."""
        end = space_of(self._project, space.number).encode()
        names = [address(*key) + end for key in keys if key[0] in space.features.by_entity]
        place = row[PARTITION], row[OFFSET]
        if room:
            field, packed = f"+{place[0]}:{place[1]}", row_bytes(row)
            commands: list[Command] = [("HSET", name, field, packed) for name in names]
            commands += [("HLEN", name) for name in names]
            *replies, live = await self._link.run([*commands, ("GET", live_key(self._project))])
            sizes = zip(names, replies[len(names) :], strict=True)
            names = [name for name, size in sizes if size > _ROOM]
            if not names:
                return int(live or 0)
        cuts: list[Command] = [("EVAL", CUT, 1, name, *place) for name in names]
        *_, live = await self._link.run([*cuts, ("GET", live_key(self._project))])
        return int(live or 0)

    async def now(self) -> int:
        (time,) = await self._link.run([("TIME",)])
        return _micros(time)

    async def vouch(self, until: int) -> None:
        await self._link.run([("HSET", members_key(self._project), self._instance, until)])

    async def leave(self) -> None:
        await self._link.run([("HDEL", members_key(self._project), self._instance)])

    async def _found(self) -> Keyspace:
        # Now and then, and of several keys: Feast's own client asks, in a thread.
        self._space = await asyncio.to_thread(self._states.keyspace)
        return self._space

    def _markers_in(self, stored: list[bytes]) -> Markers:
        """Most often they are those of the read before."""
        if self._markers is None or self._markers[0] != stored:
            pairs = dict(zip(stored[::2], stored[1::2], strict=True))
            self._markers = stored, markers_of(pairs)
        return self._markers[1]


def _micros(time: Sequence[bytes]) -> int:
    return int(time[0]) * SECOND + int(time[1])


def _is_silent(members: Sequence[bytes], now: Reply) -> bool:
    return any(int(until) < now < int(until) + _FORGOTTEN_US for until in members[1::2])
