"""Python's garbage collector, in processes that somebody waits for."""

import asyncio
import gc

# Of work; by then what comes with first use is there too.
_SECONDS = 60.0


def settle() -> None:
    """What there is now is never looked at again, and should live as long as the process.

    A full collection walks all else, and nothing else runs meanwhile: over the modules of a process
    that decides, 250 to 350 ms, whenever a quarter as much again has come to live.
    """
    gc.collect()
    gc.freeze()


async def settle_again() -> None:
    """Once modules are imported that the first work asks for."""
    await asyncio.sleep(_SECONDS)
    settle()


def look_rarely(new: int = 100_000) -> None:
    """In a process that makes objects by the thousand and hardly a cycle among them, such as a
    worker: looking for cycles all the time takes it a sixth of its processor time.

    A look at `new` objects is a pause: some .5 ms for ten thousand.
    """
    gc.set_threshold(new, 50, 100)
