"""Owns a worker's watch over the live generation of the online states; moves no pointer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from domain.errors import FencedError

_LOOK_SECONDS = 0.5


class Pinned(Protocol):
    def moved(self) -> int | None: ...


def following(states: Pinned) -> Callable[[], Awaitable[None]]:
    """Raises FencedError once another generation is live than the one that `states` is pinned to.

    The worker ends and is started anew on that one, from its own markers. What it wrote meanwhile
    lies where nobody looks any more, and readers fold their own tail of the log.
    """

    async def follow() -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            number = await asyncio.to_thread(states.moved)
            if number is not None:
                raise FencedError(
                    f"generation {number} of the online states is live now: starts anew upon it"
                )

    return follow
