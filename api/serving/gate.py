"""Gate before the decisions: what comes beyond the machine's capacity is told so, not kept waiting.

Without it an overload makes every decision late: all of them share the processor, pass their
deadline and are decided by the rules, and clients give up on what was paid for.
"""

import asyncio

from domain.errors import UnavailableError


class OverloadedError(UnavailableError):
    """More requests than this process can decide; nothing was done for this one."""

    def __init__(self) -> None:
        super().__init__("api", "decides as many transactions as it can: retry under the same id")


class Gate:
    """`at_once` are let in; `most` others wait for `seconds` at the longest, in their order.

    One event loop owns it. Entering raises OverloadedError where there is no more room.
    """

    def __init__(self, at_once: int, most: int, seconds: float) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._most, self._seconds = most, seconds
        self.at_once, self.running, self.waiting = at_once, 0, 0

    async def __aenter__(self) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            self.running += 1
            return
        if self.waiting >= self._most:
            raise OverloadedError
        self.waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._slots.acquire()
        except TimeoutError as error:
            raise OverloadedError from error
        finally:
            self.waiting -= 1
        self.running += 1

    async def __aexit__(self, *_: object) -> None:
        self.running -= 1
        self._slots.release()
