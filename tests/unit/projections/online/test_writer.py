"""The writer of online states: folds while it saves, loses nothing, marks only what is saved."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import FencedError, UnavailableError
from domain.features import Entity, EntityState, FeatureEvent, entity_keys, feature_event
from domain.features.state import version_of
from eventlog.batch import Batch
from eventlog.port import Position
from eventlog.routing import VERSION, Routed, encode_routed, shard_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.port import Marker
from projections.online.rebuild_flags import RebuildFlags
from projections.online.writer import EntityWriter
from tests.fakes.events import imported
from tests.fakes.states import InMemoryStates

SHARD = 0
# Cards of one shard, so that one partition of ENTITIES has all of them.
CARDS = [card for n in range(99) if shard_of(Entity.CARD, card := f"c{n}") == SHARD][:4]


class Bench:
    """A writer over states that outlive it, and the records that it is handed."""

    def __init__(self, most: int = 20_000) -> None:
        self.states, self.dead, self.most = InMemoryStates(), list[str](), most
        self.records: list[bytes] = []
        self.events: list[tuple[str, FeatureEvent]] = []

    async def writer(self) -> EntityWriter:
        made = EntityWriter(
            self.states, self.dead_letter, RebuildFlags(self.states, self.ends), self.most
        )
        await made.assign({SHARD})
        return made

    async def dead_letter(self, _place: Position, _value: bytes, reason: str) -> None:
        self.dead.append(reason)

    async def ends(self) -> list[int]:
        return [0] * TRANSACTIONS.partitions

    def add(self, card: str, amount: int = 100) -> None:
        """One more routed record, of one event of source partition 0."""
        offset = len(self.events)
        event = feature_event(imported(f"t{offset}"))
        assert event is not None
        event = event._replace(card_id=card, order=offset, base_amount=amount)
        self.events.append((card, event))
        entries = [(offset, [Entity.CARD.value], event.to_wire())]
        self.records.append(encode_routed(Routed(VERSION, 0, offset, offset, entries)))

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


async def test_events_are_folded_while_a_write_is_under_way_and_written_by_the_next_one() -> None:
    bench = Bench()
    writer = await bench.writer()
    watching = asyncio.create_task(writer.watch())
    bench.states.gate.clear()
    bench.add(CARDS[0])
    await writer.handle(bench.batch(0))
    await asyncio.to_thread(bench.states.writing.wait)
    for _ in range(5):
        bench.add(CARDS[0])
        bench.add(CARDS[1])
        await asyncio.wait_for(writer.handle(bench.batch(len(bench.records) - 2)), 5)
    assert bench.states.stored == {}
    bench.states.gate.set()
    await writer.save()
    watching.cancel()
    assert bench.states.writes[:2] == [1, 2]
    assert bench.states.stored == bench.folded()
    assert bench.states.marks == {SHARD: Marker(11, {0: 10})}


async def test_a_state_that_is_being_saved_is_not_read_back() -> None:
    bench = Bench(most=2)
    for card in (*CARDS, CARDS[0]):
        bench.add(card)
    # The others are saved but not marked: they are read back and hold everything.
    known = {key: data for key, data in bench.folded().items() if key[1] != CARDS[0]}
    bench.states.stored.update(known)
    writer = await bench.writer()
    await writer.handle(bench.batch(0, 1))
    bench.states.gate.clear()
    saving = asyncio.create_task(writer.save())
    await asyncio.to_thread(bench.states.writing.wait)
    for start in range(1, 5):
        await asyncio.wait_for(writer.handle(bench.batch(start, start + 1)), 5)
    bench.states.gate.set()
    await saving
    await writer.save()
    assert bench.states.stored == bench.folded()


async def test_an_event_that_no_state_can_hold_is_dead_lettered_and_stops_nothing() -> None:
    bench = Bench()
    writer = await bench.writer()
    bench.add(CARDS[0])
    bench.add(CARDS[0], amount=-1)
    bench.records.append(b"what is this")
    bench.records.append(encode_routed(Routed(VERSION - 1, 0, 2, 2, [])))
    await writer.handle(bench.batch(0))
    await writer.save()
    assert bench.states.stored == bench.folded(upto=1)
    assert bench.states.marks == {SHARD: Marker(4, {0: 1})}
    named = ("not a routed record", "version 1, not 2", "base_amount")
    assert [word for word, reason in zip(named, bench.dead, strict=True) if word in reason] == [
        *named
    ]


async def test_a_refused_writer_takes_no_batches_until_it_is_assigned_again() -> None:
    bench = Bench()
    writer = await bench.writer()
    bench.add(CARDS[0])
    bench.states.marks[SHARD] = Marker(0, {0: 77})
    watching = asyncio.create_task(writer.watch())
    await writer.handle(bench.batch(0))
    with pytest.raises(FencedError):
        await asyncio.wait_for(for_ever(writer, bench), 5)
    assert await writer.assign({SHARD}) == {SHARD: 0}
    bench.add(CARDS[0])
    await writer.handle(bench.batch(0))
    watching.cancel()


async def for_ever(writer: EntityWriter, bench: Bench) -> None:
    while True:
        await writer.handle(bench.batch(0))
        await asyncio.sleep(0)


Step = tuple[str, int]
FINISH: list[Step] = [("handle", 12), ("save", 1)] * 2


@given(
    st.lists(st.sampled_from(CARDS), min_size=1, max_size=12),
    st.lists(
        st.tuples(st.sampled_from(["handle", "save", "fail", "crash"]), st.integers(1, 4)),
        max_size=25,
    ),
)
@example(CARDS, [("handle", 1), ("fail", 1), ("handle", 1), ("fail", 2), ("save", 1)])
@example(CARDS, [("handle", 1), ("fail", 2), ("crash", 1), ("handle", 1), ("fail", 2)])
async def test_states_equal_the_log_whatever_fails_and_whenever_it_restarts(
    cards: Sequence[str], steps: Sequence[Step]
) -> None:
    bench = Bench(most=3)
    for card in cards:
        bench.add(card)
    writer = await bench.writer()
    at = 0
    for step, number in [*steps, *FINISH]:
        try:
            if step == "handle" and at < len(bench.records):
                upto = min(at + number, len(bench.records))
                await writer.handle(bench.batch(at, upto))
                at = upto
            elif step in ("save", "fail"):
                bench.states.failures = number if step == "fail" else 0
                await writer.save()
        except UnavailableError:
            pass
        except FencedError:
            # The answer to an earlier move of its marker was lost: it is assigned again.
            step = "crash"
        if step == "crash":
            writer = await bench.writer()
            at = bench.states.marks.get(SHARD, Marker()).next
        assert_covered(bench, bench.states.marks.get(SHARD, Marker()).covers(0))
    assert bench.states.stored == bench.folded()


def assert_covered(bench: Bench, covered: int) -> None:
    """What a marker covers is in the stored states."""
    for offset, (_, event) in enumerate(bench.events[: covered + 1]):
        key = Entity.CARD, entity_keys(event)[Entity.CARD]
        assert version_of(bench.states.stored[key])[0] >= offset
