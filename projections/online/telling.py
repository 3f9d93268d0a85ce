"""What this process answers is told to all that decide: pushed beside the states, and vouched for.

A process that cannot push answers all the same, but not before its word has lapsed: from then on
the others know that something may be missing.
"""

import asyncio
import logging
import struct
from contextlib import suppress

from domain.errors import IntegrityError, UnavailableError
from domain.events import Envelope
from domain.features import Entity, entity_keys, feature_event
from domain.features.rows import row_bytes, row_of
from domain.features.state import Row
from domain.times import SECOND
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.port import Markers, ServingStates
from projections.ports import Ends

logger = logging.getLogger(__name__)

_VOUCH_SECONDS, _WORD_SECONDS = 0.25, 1.0
# The server's clock may be set back by less than this.
_CLOCK_SECONDS = 0.25
# Where the states are further behind than this, recent events are not kept beside them.
_MOST_BEHIND = 100_000 // TRANSACTIONS.partitions
_MOST_UNTOLD = 1_000

_Untold = tuple[list[tuple[Entity, str]], Row, asyncio.Future[None]]


class Teller:
    """`markers` are those last read: how far the states have come.

    It vouches for nothing until they hold all that the log has at its start (`ends`): the process
    before it may have answered what it could not push.
    """

    def __init__(self, states: ServingStates, ends: Ends) -> None:
        self._states, self._ends = states, ends
        self.markers = Markers({}, frozenset())
        self._untold: list[_Untold] = []
        # What was answered and is told to nobody yet, whichever task has it in hand.
        self._owed: list[asyncio.Future[None]] = []
        # Per source partition how far states must have come before nothing of ours is missing.
        self._missing: dict[int, int] = {}
        self._begun = False
        self._word_until = 0.0

    async def answered(self, partition: int, offset: int, decision: Envelope, now: bool) -> None:
        """Returns once others see the decision, or see that they may not; `now` tells at once."""
        event = feature_event(decision)
        if event is None or self._are_held(partition, offset):
            return
        try:
            row = row_of(partition, offset, event)
            row_bytes(row)
        except (ArithmeticError, LookupError, TypeError, ValueError, struct.error):
            # No state can hold it: the writer sets it aside, with the reason.
            return
        if len(self._untold) >= _MOST_UNTOLD:
            self._miss(partition, offset)
            await asyncio.sleep(self._left())
            return
        told = asyncio.get_running_loop().create_future()
        self._untold.append((list(entity_keys(event).items()), row, told))
        try:
            await self._told_or_lapsed(told, now)
        finally:
            if not told.done():
                self._owed.append(told)

    async def _told_or_lapsed(self, told: asyncio.Future[None], now: bool) -> None:
        try:
            if now:
                await self.tell()
        except (UnavailableError, IntegrityError) as error:
            logger.warning("other processes do not see what was answered: %s", error)
        # The word may be given anew meanwhile, for nothing that was answered is untold.
        while not told.done() and (left := self._left()) > 0:
            await asyncio.wait({told}, timeout=left)

    def _left(self) -> float:
        """Seconds until the word has lapsed."""
        return max(0.0, self._word_until - asyncio.get_running_loop().time())

    async def tell(self) -> None:
        """What could not be told yet. Raises UnavailableError, IntegrityError."""
        untold, self._untold = self._untold, []
        try:
            while untold:
                keys, row, told = untold[0]
                await self._states.push(keys, row, self._has_room(row))
                told.set_result(None)
                del untold[0]
        finally:
            # What was pushed already is not there twice.
            self._untold = [*untold, *self._untold]

    async def keep_vouching(self) -> None:
        """Until it is cancelled; then the process must answer no more."""
        try:
            while True:
                try:
                    await self._vouch()
                except (UnavailableError, IntegrityError) as error:
                    logger.debug("others take what this process answers to be missing: %s", error)
                await asyncio.sleep(_VOUCH_SECONDS)
        finally:
            with suppress(UnavailableError):
                await self._states.leave()

    async def _vouch(self) -> None:
        await self.tell()
        now = await self._states.now()
        # Before it is asked whether anything is owed: whatever fails from now on waits as long.
        self._word_until = asyncio.get_running_loop().time() + _WORD_SECONDS + _CLOCK_SECONDS
        missing = await self._misses()
        self._owed = [told for told in self._owed if not told.done()]
        lapses = now + int(_WORD_SECONDS * SECOND)
        # One that cannot vouch yet is silent, and known to be there.
        await self._states.vouch(now if missing or self._owed else lapses)

    async def _misses(self) -> bool:
        """True while something that was answered is neither told nor in the states."""
        if not self._begun:
            for at, end in enumerate(await self._ends()):
                self._miss(at, end - 1)
            self._begun = True
        if self._missing:
            self.markers = (await self._states.read([])).markers
            held = self.markers.covered(TRANSACTIONS.partitions, ENTITIES.partitions)
            self._missing = {at: upto for at, upto in self._missing.items() if held[at] < upto}
        return bool(self._missing)

    def _miss(self, source: int, offset: int) -> None:
        self._missing[source] = max(offset, self._missing.get(source, offset))

    def _are_held(self, source: int, offset: int) -> bool:
        """As of an old decision that is answered again."""
        markers = self.markers.at.values()
        return bool(markers) and all(marker.covers(source) >= offset for marker in markers)

    def _has_room(self, row: Row) -> bool:
        source, offset = row[:2]
        held = min((marker.covers(source) for marker in self.markers.at.values()), default=offset)
        return offset - held <= _MOST_BEHIND
