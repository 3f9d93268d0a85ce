"""Router: sends the transactions that count to the shards of their entities, in batches.

A shard gets one record per batch that concerns it, and now and then one without entries, a
watermark: each says how far the source has been read. The router resumes from the markers of the
shards alone, and looks at them now and then: a shard whose writer has passed a record without
covering it has lost what came before, so the source is read and sent to it anew.
"""

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from domain.events import Envelope
from domain.features import feature_event
from domain.features.entities import keys_of
from domain.features.rows import row_bytes, row_of
from eventlog.batch import Batch
from eventlog.port import Position
from eventlog.routing import Gathered, Routed, Traced, encode_routed, shards_named
from eventlog.topics import ENTITIES
from projections.faust.admission import RecordAdmission
from projections.online.port import Marker, StateStore

logger = logging.getLogger(__name__)

Send = Callable[[int, bytes], Awaitable[Position]]
"""Appends to a shard of ENTITIES; returns once acknowledged. Raises UnavailableError."""

# What the row of an event may raise on unexpected values.
_UNFOLDABLE = (ArithmeticError, LookupError, TypeError, ValueError, struct.error)
# Bounds the size of a routed record: an event is about 200 bytes, its keys included.
_AT_ONCE = 2000
# Bounds how far back the tail of a reader must reach for entities without events.
_WATERMARK_SECONDS = 0.25
_LOOK_SECONDS = 1.0
# Where sending anew has brought a shard nothing, it is done again after growing pauses up to this.
_LONGEST_PAUSE = 300.0

_Found = tuple[Position, Traced, tuple[str | None, ...]]
_Gathered = Mapping[int, Sequence[Gathered]]
"""By source and shard."""


_NOTHING = Gathered()


@dataclass(frozen=True, slots=True)
class _Told:
    """Once a shard's marker is at `next` or beyond, it covers the source up to and with `last`."""

    next: int
    last: int


class Router:
    """A BatchHandler of TRANSACTIONS. `_sent`: per source, the offset that each shard was sent.

    `states` are adopted by the writer of the same worker. `again` asks the worker to assign the
    same sources once more, and to read on from there.
    """

    def __init__(
        self, states: StateStore, admission: RecordAdmission, send: Send, again: Callable[[], None]
    ) -> None:
        self._states, self._admission, self._send = states, admission, send
        self._again = again
        self._next: dict[int, int] = {}
        self._sent: dict[int, list[int]] = {}
        # Per source and shard, what was sent last, and what is waited for.
        self._told: dict[int, list[_Told]] = {}
        self._awaited: dict[int, list[_Told]] = {}
        self._lacking: dict[tuple[int, int], int] = {}
        self._pause, self._look_at = _LOOK_SECONDS, 0.0
        self._turn = asyncio.Lock()

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        markers = await asyncio.to_thread(self._states.markers)
        at = [markers.at.get(shard, Marker()) for shard in range(ENTITIES.partitions)]
        self._told = {
            source: [_Told(marker.next, marker.covers(source)) for marker in at]
            for source in partitions
        }
        self._awaited = {source: list(told) for source, told in self._told.items()}
        self._sent = {
            source: [each.last + 1 for each in told] for source, told in self._told.items()
        }
        self._next = {source: min(sent) for source, sent in self._sent.items()}
        remembered = self._admission.open(partitions, {p for p, at in self._next.items() if not at})
        return {p: min(at, remembered.get(p, at)) for p, at in self._next.items()}

    async def handle(self, batches: Sequence[Batch]) -> None:
        longest = max(len(batch.records) for batch in batches)
        for start in range(0, longest, _AT_ONCE):
            some = [each.part(start, start + _AT_ONCE) for each in batches]
            async with self._turn:
                await self._route([each for each in some if each.records])

    async def revoke(self, partitions: set[int]) -> None:
        for partition in partitions:
            self._next.pop(partition, None)

    async def watch(self) -> None:
        """Sends watermarks, for ever, to the shards that a source had nothing for.

        Now and then it looks whether the shards have taken up what they were sent. Raises
        UnavailableError; going on loses nothing.
        """
        while True:
            await asyncio.sleep(_WATERMARK_SECONDS)
            async with self._turn:
                await self._send_upto(self._next)
            if asyncio.get_running_loop().time() >= self._look_at:
                await self._look()

    async def _look(self) -> None:
        markers = await asyncio.to_thread(self._states.markers)
        lacking: dict[tuple[int, int], int] = {}
        for source in self._next:
            for shard, awaited in enumerate(self._awaited[source]):
                marker = markers.at.get(shard, Marker())
                if marker.next < awaited.next:
                    continue
                if marker.covers(source) < awaited.last:
                    lacking[source, shard] = marker.covers(source)
                else:
                    self._awaited[source][shard] = self._told[source][shard]
        pause = _LOOK_SECONDS
        if lacking:
            pause = self._pause = (
                min(2 * self._pause, _LONGEST_PAUSE) if lacking == self._lacking else _LOOK_SECONDS
            )
            self._lacking = lacking
            logger.warning(
                "features: shards %s of the online states lack events that they were sent: sources "
                "%s are sent anew", *(sorted({pair[i] for pair in lacking}) for i in (1, 0)),
            )  # fmt: skip
            self._again()
        self._look_at = asyncio.get_running_loop().time() + pause

    async def _route(self, batches: Sequence[Batch]) -> None:
        found: list[_Found] = []
        upto: dict[int, int] = {}
        for batch in batches:
            checked = await self._admission.check(batch)
            first = self._next[batch.partition]
            if batch.next <= first:
                continue
            upto[batch.partition] = batch.next
            for each, (_, _, value) in zip(checked, batch.records, strict=True):
                if each.status == "counts" and each.envelope and each.position.offset >= first:
                    try:
                        found += _found(each.position, each.envelope)
                    except _UNFOLDABLE as error:
                        what = f"no state can hold it: {type(error).__name__}: {error}"
                        await self._admission.dead_letter(each.position, value or b"", what)
        gathered = _gathered(found, {source: self._sent[source] for source in upto})
        # Shards that nothing concerns get a watermark from `watch`: where traffic is thin this
        # saves seven of eight records, and a decision waits for none of them.
        if any(map(any, gathered.values())):
            await self._send_upto(upto, gathered)
        self._next.update(upto)
        self._admission.commit(batches)

    async def _send_upto(self, upto: Mapping[int, int], gathered: _Gathered | None = None) -> None:
        """Sends what was gathered; without it, watermarks to all shards that are behind. One
        record is of one source: the server gets those of a shard in one batch."""
        before = {source: list(self._sent[source]) for source in upto}
        sends = []
        for source, end in upto.items():
            sent, told = self._sent[source], self._told[source]
            for shard in range(len(sent)):
                mine = gathered[source][shard] if gathered else _NOTHING
                # `first` may lie before the batch: offsets that the log no longer has are covered.
                if sent[shard] < end and (mine or not gathered):
                    record = mine.record(source, sent[shard], end - 1)
                    sends.append(self._tell(told, shard, record))
                    sent[shard] = end
        try:
            await asyncio.gather(*sends)
        except BaseException:
            # What did arrive is sent again, and skipped by its offsets.
            for source, at in before.items():
                self._sent[source][:] = at
            raise

    async def _tell(self, told: list[_Told], shard: int, record: Routed) -> None:
        position = await self._send(shard, encode_routed(record))
        told[shard] = _Told(position.offset + 1, record.last)


def _found(place: Position, envelope: Envelope) -> list[_Found]:
    """None for what no feature folds. Raises one of `_UNFOLDABLE` for what no state can hold."""
    event = feature_event(envelope)
    if event is None:
        return []
    row = row_bytes(row_of(place.partition, place.offset, event))
    decided = None if event.outcome is None else event.transaction_id
    return [(place, (row, decided), keys_of(event))]


def _gathered(events: Sequence[_Found], sent: Mapping[int, Sequence[int]]) -> _Gathered:
    """What each shard was not sent yet, by source. The shards of all keys are looked for at once,
    which is much cheaper."""
    gathered = {source: [Gathered() for _ in shards] for source, shards in sent.items()}
    home = iter(shards_named([keys for _, _, keys in events]))
    for place, event, keys in events:
        mine, upto = gathered[place.partition], sent[place.partition]
        for kind, key in enumerate(keys):
            if key is not None and place.offset >= upto[shard := next(home)]:
                mine[shard].add(kind, key, event)
    return gathered
