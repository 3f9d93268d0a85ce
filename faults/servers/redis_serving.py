"""The online states of the simulated Redis, for one process that decides."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from domain.errors import UnavailableError
from domain.features.state import Row
from faults.loop.process import Process
from faults.servers.redis import Key, Keyspace, RedisServer, SimulatedStates
from projections.online.port import Read

T = TypeVar("T")


class SimulatedServing:
    """Implements projections.online.port.ServingStates for one process."""

    def __init__(self, server: RedisServer, process: Process) -> None:
        self._server, self._states = server, SimulatedStates(server, process)
        self._name = process.name
        self.connection = 0

    async def read(self, keys: Sequence[Key]) -> Read:
        found: Read = await self._later(partial(self._states.read, keys))
        return found

    async def push(self, keys: Sequence[Key], row: Row, room: bool) -> None:
        await self._later(partial(self._states.push, keys, row, room))

    async def now(self) -> int:
        now: int = await self._asked(lambda _: self._server.now())
        return now

    async def vouch(self, until: int) -> None:
        await self._asked(lambda holds: holds.members.update({self._name: until}))

    async def leave(self) -> None:
        await self._asked(lambda holds: holds.members.pop(self._name, None))

    async def _asked(self, call: Callable[[Keyspace], T]) -> Any:
        return await self._later(partial(self._states.asked, call))

    async def _later(self, asked: Callable[[], Any]) -> Any:
        life = self._server.lives
        # What blocks is a task of its own in the loop, whatever pool it is given to.
        answer = await asyncio.get_running_loop().run_in_executor(None, asked)
        # A call that began before the server ended is not answered by the one after it.
        if life != self._server.lives:
            raise UnavailableError("redis", "the connection was closed")
        self.connection = life
        return answer
