"""Watch of a worker over the live generation of the online states: the worker ends on a swap."""

import asyncio
from collections.abc import Awaitable, Callable

from domain.errors import FencedError
from projections.online.port import StateStore

_LOOK_SECONDS = 0.5


def generation_watch(states: StateStore) -> Callable[[], Awaitable[None]]:
    """Raises FencedError once a generation is live that `states` is not pinned to.

    The worker ends, and its supervisor starts it again on the new one, at its markers. What it
    wrote meanwhile lies in the old generation, which nobody reads any more; readers fold their own
    tail of the log until the worker is back.
    """

    async def watch() -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            number = await asyncio.to_thread(states.moved)
            if number is not None:
                raise FencedError(
                    f"generation {number} of the online states is live now: start again on it"
                )

    return watch
