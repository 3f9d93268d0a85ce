"""Writers of online states in one shard: the log that they read, and their states."""

import asyncio
from collections.abc import Callable, Sequence

from domain.errors import FencedError
from domain.features import Entity, EntityState, FeatureEvent, entity_keys, feature_event
from domain.features.rows import row_bytes, row_of
from domain.features.state import version_of
from eventlog.batch import Batch
from eventlog.port import Position
from eventlog.routing import KINDS, Gathered, encode_routed, shard_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.port import Marker
from projections.online.rebuild_flags import RebuildFlags
from projections.online.writer import EntityWriter
from tests.fakes.events import imported
from tests.fakes.states import InMemoryStates

SHARD = 0
# Cards of one shard, so that one partition of ENTITIES has all of them.
CARDS = [card for n in range(99) if shard_of(Entity.CARD, card := f"c{n}") == SHARD][:4]


def routed_record(
    event: FeatureEvent, source: int, offset: int, entities: Sequence[Entity]
) -> bytes:
    """Of one event, that covers its own offset alone."""
    gathered, row = Gathered(), row_bytes(row_of(source, offset, event))
    decided = None if event.outcome is None else event.transaction_id
    traced, keys = (row, decided), entity_keys(event)
    for entity in entities:
        gathered.add(KINDS.index(entity), keys[entity], traced)
    return encode_routed(gathered.record(source, offset, offset))


class RoutedLog:
    """The routed records of one shard. What a writer sets aside is in `dead`.

    `end` is where a shard that has no marker goes on.
    """

    def __init__(self, cards: Sequence[str] = ()) -> None:
        self.dead: list[str] = []
        self.end = 0
        self.records: list[bytes] = []
        self.events: list[tuple[str, FeatureEvent]] = []
        for card in cards:
            self.add(card)

    def add(self, card: str, amount: int = 100) -> None:
        """One more routed record, of one event of source partition 0."""
        offset = len(self.events)
        event = feature_event(imported(f"t{offset}"))
        assert event is not None
        event = event._replace(card_id=card, order=offset, base_amount=amount)
        self.events.append((card, event))
        self.records.append(routed_record(event, 0, offset, [Entity.CARD]))

    def batch(self, start: int, stop: int | None = None) -> Batch:
        stop = len(self.records) if stop is None else stop
        records: list[tuple[int, bytes | None, bytes | None]] = [
            (offset, None, self.records[offset]) for offset in range(start, stop)
        ]
        return Batch(ENTITIES.name, SHARD, records, len(self.records))

    def folded(self, upto: int | None = None) -> dict[tuple[Entity, str], bytes]:
        made: dict[tuple[Entity, str], EntityState] = {}
        for offset, (card, event) in enumerate(self.events[:upto]):
            key = Entity.CARD, card
            made.setdefault(key, EntityState(*key)).fold(0, offset, event)
        return {key: state.to_bytes() for key, state in made.items()}

    def writer(
        self, states: InMemoryStates, again: Callable[[], None], most: int = 20_000
    ) -> EntityWriter:
        flags = RebuildFlags(states, self._no_ends)
        return EntityWriter(states, self._dead_letter, flags, self._ends, again, most)

    def assert_covered(self, states: InMemoryStates) -> None:
        """What the marker covers is in the stored states."""
        covered = states.marks.get(SHARD, Marker()).covers(0)
        for offset, (_, event) in enumerate(self.events[: covered + 1]):
            key = Entity.CARD, entity_keys(event)[Entity.CARD]
            assert version_of(states.stored[key])[0] >= offset

    async def _dead_letter(self, _place: Position, _value: bytes, reason: str) -> None:
        self.dead.append(reason)

    async def _ends(self) -> list[int]:
        return [self.end] * ENTITIES.partitions

    async def _no_ends(self) -> list[int]:
        return [0] * TRANSACTIONS.partitions


class Owner:
    """A process with a writer: it reads from where the writer says, each time it is assigned.

    `asked` is set once the writer wants its shards assigned again.
    """

    def __init__(self, log: RoutedLog, states: InMemoryStates, most: int = 20_000) -> None:
        self.log, self.states, self.at = log, states, 0
        self.asked = asyncio.Event()
        self.writer = log.writer(states, self.asked.set, most)

    async def assign(self) -> None:
        self.at = (await self.writer.assign({SHARD}))[SHARD]

    async def handle(self, most: int = 1_000) -> None:
        """The next records. Raises what the writer raises."""
        upto = min(self.at + most, len(self.log.records))
        if self.at < upto:
            await self.writer.handle([self.log.batch(self.at, upto)])
            self.at = upto

    async def finish(self) -> None:
        """Goes on to the end of the log, as a worker that is alone."""
        while True:
            try:
                await self.handle()
                await self.writer.save()
            except FencedError:
                await self.assign()
            else:
                return
