"""The writer of online states: folds while it saves, loses nothing, marks only what is saved."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.errors import FencedError, IntegrityError, UnavailableError
from domain.features import Entity
from eventlog.routing import VERSION, decode_routed, encode_routed
from projections.online.port import Marker
from projections.online.writer import EntityWriter
from tests.builders.workers.entities import CARDS, SHARD, RoutedLog
from tests.fakes.states import InMemoryStates


class Bench(RoutedLog):
    """A writer over states that outlive it, and the records that it is handed."""

    def __init__(self, most: int = 20_000) -> None:
        super().__init__()
        self.states, self.most = InMemoryStates(), most

    async def assigned(self) -> EntityWriter:
        made = self.writer(self.states, lambda: None, self.most)
        await made.assign({SHARD})
        return made


async def test_events_are_folded_while_a_write_is_under_way_and_written_by_the_next_one() -> None:
    bench = Bench()
    writer = await bench.assigned()
    watching = asyncio.create_task(writer.watch())
    bench.states.gate.clear()
    bench.add(CARDS[0])
    await writer.handle([bench.batch(0)])
    await asyncio.to_thread(bench.states.writing.wait)
    for _ in range(5):
        bench.add(CARDS[0])
        bench.add(CARDS[1])
        await asyncio.wait_for(writer.handle([bench.batch(len(bench.records) - 2)]), 5)
    assert bench.states.stored == {}
    bench.states.gate.set()
    await writer.save()
    watching.cancel()
    assert bench.states.writes[:2] == [1, 2]
    assert bench.states.stored == bench.folded()
    assert bench.states.marks == {SHARD: Marker(11, {0: 10})}


async def test_a_state_that_is_being_saved_is_not_read_back() -> None:
    bench = Bench(most=2)
    writer = await bench.assigned()
    for card in CARDS[:3]:
        bench.add(card)
    bench.states.failures = 1
    with pytest.raises(UnavailableError):
        await writer.handle([bench.batch(0)])
    bench.states.gate.clear()
    saving = asyncio.create_task(writer.save())
    await asyncio.to_thread(bench.states.writing.wait)
    bench.records.append(b"what is this")
    await asyncio.wait_for(writer.handle([bench.batch(3)]), 5)
    bench.add(CARDS[0])
    await asyncio.wait_for(writer.handle([bench.batch(4)]), 5)
    bench.states.gate.set()
    await saving
    await writer.save()
    (state,) = bench.states.read([(Entity.CARD, CARDS[0])]).states
    assert (state.folded_transactions, state.version) == (2, {0: 3})


async def test_what_is_no_record_of_this_version_is_dead_lettered_and_stops_nothing() -> None:
    bench = Bench()
    writer = await bench.assigned()
    bench.add(CARDS[0])
    good = decode_routed(bench.records[0])
    bench.records.append(b"what is this")
    bench.records.append(encode_routed(replace(good, version=VERSION - 1, first=1, last=1)))
    # As versions up to 2 were written.
    bench.records.append(msgspec.msgpack.encode([2, 0, 1, 1, [[1, ["card"], ["transaction"]]]]))
    for spoilt in (
        replace(good, rows=good.rows[:-1]),
        replace(good, source=1),
        replace(good, entries=[(0, [CARDS[0]], [1])]),
        replace(good, entries=[(99, [CARDS[0]], [0])]),
        replace(good, entries=[(0, [CARDS[0], CARDS[1]], [0])]),
    ):
        bench.records.append(encode_routed(replace(spoilt, first=1, last=1)))
    bench.add(CARDS[1])
    await writer.handle([bench.batch(0)])
    await writer.save()
    assert bench.states.stored == bench.folded()
    assert bench.states.marks == {SHARD: Marker(len(bench.records), {0: 1})}
    named = (
        "not a routed record", f"version {VERSION - 1}, not {VERSION}", "version 2, not",
        "another version", "not all of partition 1", "out of bounds", "out of range",
        "keys without a row",
    )  # fmt: skip
    assert [word for word, reason in zip(named, bench.dead, strict=True) if word in reason] == [
        *named
    ]


async def test_rows_are_folded_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.online.writer._MOST_PENDING", 3)
    bench = Bench()
    writer = await bench.assigned()
    for number in range(8):
        bench.add(CARDS[number % 2])
        await writer.handle([bench.batch(number)])
        assert writer._pending.count <= 3
    await writer.save()
    assert bench.states.stored == bench.folded()


async def test_a_damaged_state_is_named() -> None:
    bench = Bench()
    bench.add(CARDS[0])
    bench.add(CARDS[1])
    whole = bench.folded()
    writer = await bench.assigned()
    await writer.handle([bench.batch(0, 2)])
    await writer.save()
    bench.states.stored[Entity.CARD, CARDS[1]] = whole[Entity.CARD, CARDS[1]][:-1]
    bench.add(CARDS[0])
    bench.add(CARDS[1])
    writer = await bench.assigned()
    await writer.handle([bench.batch(2)])
    with pytest.raises(IntegrityError, match=f"card '{CARDS[1]}': .* damaged"):
        await writer.save()


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
    writer = await bench.assigned()
    at = 0
    for step, number in [*steps, *FINISH]:
        try:
            if step == "handle" and at < len(bench.records):
                upto = min(at + number, len(bench.records))
                await writer.handle([bench.batch(at, upto)])
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
            bench.states.failures = 0
            writer = await bench.assigned()
            at = bench.states.marks.get(SHARD, Marker()).next
        bench.assert_covered(bench.states)
    assert bench.states.stored == bench.folded()
