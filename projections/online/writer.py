"""Writer of the online states: folds the routed events of its shards, saves states, then markers.

One writer folds each shard: the one that claimed it last. Batches are folded in memory while
earlier ones are being written. A write takes all that came during the one before it, so states are
as fresh as the store is fast. After a crash between states and markers, folding the same records
again changes nothing. A writer that finds the store other than it left it takes its shards up anew,
in place: see docs/adr/0019-a-writer-takes-its-shards-up-anew.md.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence

from domain.errors import FencedError, IntegrityError, UnavailableError, UndecodableError
from domain.features import EntityState
from eventlog.batch import Batch
from eventlog.port import Position
from eventlog.routing import decode_routed, entries_of, shard_of, shards_of
from eventlog.topics import ENTITIES
from projections.faust.admission import DeadLetter
from projections.online.encoding import Key, PendingRows
from projections.online.port import Marker, Markers, Move, StateStore
from projections.online.rebuild_flags import RebuildFlags
from projections.ports import Ends

# Bounds the memory of rows that are still to be folded: some 15 MB.
_MOST_PENDING = 100_000
# While a shard lags, states are saved this often: many events of a hot entity in one write.
_SAVE_SECONDS = 5.0
# So often some states are looked for and, where nothing is saved, the markers.
_LOOK_SECONDS = 1.0
# A writer whose shard another one has claimed claims it back only after this: longer than the
# session of a group's member, so that one who has lost its partitions has been told by then.
_YIELD_SECONDS = 15.0


class EntityWriter:
    """A BatchHandler of ENTITIES. `most` bounds the states held in memory over all shards.

    `ends` are those of ENTITIES. `again` asks the worker to assign the same shards once more, and
    to read on from there; asking again while that is due changes nothing.
    """

    def __init__(
        self,
        states: StateStore,
        dead_letter: DeadLetter,
        flags: RebuildFlags,
        ends: Ends,
        again: Callable[[], None],
        most: int = 20_000,
    ) -> None:
        self._states, self._dead_letter, self._flags = states, dead_letter, flags
        self._ends, self._again, self._most = ends, again, most
        self._held: OrderedDict[Key, EntityState] = OrderedDict()
        self._reached: dict[int, Marker] = {}
        self._epochs: dict[int, int] = {}
        self._stored: dict[int, Marker | None] = {}
        self._pending = PendingRows()
        self._unsaved: dict[Key, None] = {}
        self._flying: dict[Key, None] = {}
        self._saving = asyncio.Lock()
        self._due = asyncio.Event()
        self._refused: FencedError | None = None
        self._refused_at = self._saved_at = self._swept_at = 0.0
        self._refusals = 0
        # Shards that have lost states, and how far each shard was looked through for such.
        self._lost: set[int] = set()
        self._cursors: dict[int, int] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        # A write under way ends first: its states are read back.
        async with self._saving:
            await asyncio.to_thread(self._states.adopt)
            # What a shard without a marker lacks is sent to it anew, after what is there now.
            ends = await self._ends()
            nexts = {shard: ends[shard] for shard in partitions}
            anew = self._lost & partitions
            self._epochs = await asyncio.to_thread(self._states.claim, nexts, anew)
            found = await asyncio.to_thread(self._states.markers)
            self._held.clear()
            self._unsaved.clear()
            self._pending.clear()
            self._lost.clear()
            self._cursors = dict.fromkeys(partitions, 0)
            self._refused = None
            self._saved_at = _now()
            self._stored = {shard: found.at.get(shard) for shard in partitions}
            self._reached = {
                shard: marker or Marker(nexts[shard]) for shard, marker in self._stored.items()
            }
            await self._flags.begin(self._reached, found.rebuilding, self._epochs)
            return {shard: marker.next for shard, marker in self._reached.items()}

    async def handle(self, batches: Sequence[Batch]) -> None:
        """Folds; `watch` saves. Handed in again after a failure, it folds nothing twice."""
        if self._refused is not None:
            raise self._refused
        news = [each for each in batches if each.next > self._reached[each.partition].next]
        if news:
            await self._fold(news)
        read_all = all(each.next >= each.end for each in batches)
        if read_all or _now() - self._saved_at > _SAVE_SECONDS:
            self._due.set()
        if len(self._unsaved) > self._most // 2:
            await self.save()
        self._forget()

    async def revoke(self, partitions: set[int]) -> None:
        # The assignment that follows reads everything again.
        for shard in partitions:
            self._stored.pop(shard, None)

    async def watch(self) -> None:
        """Saves beside the batches, for ever. Raises UnavailableError; going on loses nothing.

        Where nothing is to be saved it looks whether the markers are still those that it left.
        """
        while True:
            due = await self._is_due()
            try:
                if self._refused is not None:
                    await self._take_up()
                elif due:
                    await self.save()
                else:
                    await self._look()
                await self._sweep()
            except FencedError:
                # Taken up at once.
                self._due.set()
            except UnavailableError:
                self._due.set()
                raise

    async def save(self) -> None:
        """Writes all that was folded up to now. Raises UnavailableError.

        Raises FencedError where the store is not what this writer left, or lost its markers.
        """
        async with self._saving:
            if self._refused is not None:
                raise self._refused
            taken, self._unsaved = self._unsaved, {}
            self._flying = taken
            moves = [
                Move(shard, stored, self._reached[shard], self._epochs[shard])
                for shard, stored in self._stored.items()
                if self._reached[shard] != stored
            ]
            try:
                self._pending.fold(self._held)
                states = [self._held[key] for key in taken]
                encoded = [(state, state.to_bytes()) for state in states]
                await asyncio.to_thread(self._write, encoded, moves)
            except BaseException as error:
                self._unsaved = taken | self._unsaved
                if isinstance(error, FencedError):
                    self._refuse(error)
                raise
            finally:
                self._flying = {}
            kept = [move for move in moves if move.shard in self._stored]
            self._stored.update({move.shard: move.after for move in kept})
            self._saved_at, self._refusals = _now(), 0
            for move in kept:
                await self._flags.advance(move.shard, move.after)

    def _write(self, states: Sequence[tuple[EntityState, bytes]], moves: Sequence[Move]) -> None:
        try:
            self._states.save(states, moves)
        except IntegrityError as error:
            raise FencedError(str(error)) from error

    def _refuse(self, error: FencedError) -> FencedError:
        self._refused, self._refused_at = error, _now()
        self._refusals += 1
        return error

    async def _is_due(self) -> bool:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._due.wait()
        except TimeoutError:
            return False
        self._due.clear()
        return True

    async def _look(self) -> None:
        """Finds in a quiet time what the next write would be refused for."""
        async with self._saving:
            if not self._stored:
                return
            found = await asyncio.to_thread(self._states.markers)
            for shard, stored in self._stored.items():
                if found.at.get(shard) != stored:
                    what = f"the marker of shard {shard} is not what it was"
                    raise self._refuse(FencedError(what))

    async def _sweep(self) -> None:
        """Finds lost states that nobody asks for, some of each shard at a time."""
        if self._refused or not self._stored or _now() - self._swept_at < _LOOK_SECONDS:
            return
        async with self._saving:
            cursors = {shard: self._cursors[shard] for shard in self._stored}
            self._cursors, lost = await asyncio.to_thread(self._states.sweep, cursors)
            self._swept_at = _now()
            self._refuse_lost(lost)

    def _refuse_lost(self, keys: Collection[Key]) -> None:
        """Only the log knows what was in a lost state: its shard is taken up from nothing."""
        if keys:
            self._lost |= {shard_of(*key) for key in keys}
            what = f"{len(keys)} online states are gone, {min(keys)} is one of them"
            raise self._refuse(FencedError(what))

    async def _take_up(self) -> None:
        """Asks for the shards anew; later where another writer has claimed one of them.

        Each time that it is refused in a row it waits a second longer.
        """
        epochs = await asyncio.to_thread(self._states.epochs)
        claimed = any(epochs.get(shard, 0) > self._epochs[shard] for shard in self._stored)
        pause = _YIELD_SECONDS if claimed else min(self._refusals - 1, _YIELD_SECONDS)
        if _now() - self._refused_at >= pause:
            self._again()

    def _forget(self) -> None:
        """States that are being written stay: read back now, they would lack what is under way."""
        while len(self._held) > self._most:
            oldest = next(iter(self._held))
            if oldest in self._unsaved or oldest in self._flying:
                return
            del self._held[oldest]

    async def _fold(self, batches: Sequence[Batch]) -> None:
        """Rows are folded once the result is needed: many onto a state in one go."""
        news = PendingRows()
        reached = {each.partition: await self._read(each, news) for each in batches}
        keys = news.keys()
        await self._load(keys)
        self._pending.take(news)
        # Also one that knew it before: the store may have lost what it was read from.
        self._unsaved.update(dict.fromkeys(keys))
        if self._pending.count > _MOST_PENDING:
            self._pending.fold(self._held)
        # Last: a marker never says more than the states hold.
        self._reached.update(reached)

    async def _read(self, batch: Batch, news: PendingRows) -> Marker:
        """Adds what is to be folded; returns where the shard is after it."""
        last = dict(self._reached[batch.partition].last)
        asked = self._states.features.by_entity
        for offset, _, value in batch.records:
            try:
                routed = decode_routed(value or b"")
                entries = entries_of(routed)
            except UndecodableError as error:
                place = Position(ENTITIES.name, batch.partition, offset)
                await self._dead_letter(place, value or b"", str(error))
                continue
            if routed.joins(last):
                last[routed.source] = routed.last
                for entity, keys, rows in entries:
                    if entity in asked:
                        news.add(entity, keys, rows)
        return Marker(batch.next, last)

    async def _load(self, keys: Collection[Key]) -> None:
        missing = []
        for key in keys:
            if key in self._held:
                self._held.move_to_end(key)
            else:
                missing.append(key)
        if missing:
            # As of before the read: a save beside it moves the markers on.
            left = {shard: self._stored.get(shard) for shard in set(shards_of(missing))}
            loaded = await asyncio.to_thread(self._states.read, missing)
            self._check(left, loaded.markers)
            self._refuse_lost(loaded.lost)
            self._held.update(zip(missing, loaded.states, strict=True))

    def _check(self, left: Mapping[int, Marker | None], found: Markers) -> None:
        """States of a store that went back lack what our markers cover. Raises FencedError."""
        for shard, marker in left.items():
            at = found.at.get(shard)
            if marker is not None and (at is None or not at.reaches(marker)):
                what = f"the states of shard {shard} are older than this writer left"
                raise self._refuse(FencedError(what))


def _now() -> float:
    return asyncio.get_running_loop().time()
