"""A writer that finds the store other than it left it takes its shard up anew; no event is lost."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import FencedError, UnavailableError
from domain.features import Entity
from projections.online.port import Marker, Read
from tests.builders.workers.entities import CARDS, SHARD, Owner, RoutedLog
from tests.fakes.states import InMemoryStates, Kept


async def two_owners(log: RoutedLog) -> tuple[Owner, Owner, InMemoryStates]:
    """The first has folded two records, saved them, and lost its shard to the second."""
    states = InMemoryStates()
    old, new = Owner(log, states.peer()), Owner(log, states)
    await old.assign()
    await old.handle(2)
    await old.writer.save()
    await new.assign()
    return old, new, states


async def test_the_old_owner_is_refused_and_the_new_one_never_learns_of_it() -> None:
    log = RoutedLog(CARDS * 2)
    old, new, states = await two_owners(log)
    await old.handle(2)
    with pytest.raises(FencedError):
        await old.writer.save()
    assert states.marks[SHARD].next == 2
    await new.handle()
    await new.writer.save()
    assert (states.stored, states.marks[SHARD].next) == (log.folded(), len(log.records))
    with pytest.raises(FencedError):
        await old.handle()


async def test_a_write_of_the_old_owner_that_arrives_late_is_read_back() -> None:
    log = RoutedLog([CARDS[0]] * 6)
    old, new, states = await two_owners(log)
    await new.handle(1)
    old.states.gate.clear()
    await old.handle(2)
    late = asyncio.create_task(old.writer.save())
    await asyncio.to_thread(old.states.writing.wait)
    old.states.gate.set()
    with pytest.raises(FencedError):
        await late
    with pytest.raises(FencedError):
        await new.writer.save()
    await new.finish()
    assert (states.stored, states.marks[SHARD].next) == (log.folded(), len(log.records))


async def test_what_was_saved_without_its_marker_is_folded_once() -> None:
    log = RoutedLog(CARDS * 2)
    states = InMemoryStates()
    stopped, after = Owner(log, states.peer()), Owner(log, states)
    await stopped.assign()
    await stopped.handle(5)

    def stop() -> None:
        raise UnavailableError("redis", "the process was stopped")

    stopped.states.between = stop
    with pytest.raises(UnavailableError):
        await stopped.writer.save()
    assert len(states.stored) == 4
    assert states.marks[SHARD] == Marker(0)
    await after.assign()
    await after.finish()
    assert states.stored == log.folded()


async def test_a_store_that_comes_back_older_is_gone_on_with_from_there() -> None:
    log = RoutedLog(CARDS)
    states = InMemoryStates()
    owner = Owner(log, states)
    await owner.assign()
    kept = states.kept()
    await owner.finish()
    states.set_back(kept)
    log.add(CARDS[0])
    await owner.handle()
    with pytest.raises(FencedError):
        await owner.writer.save()
    await owner.finish()
    assert (states.stored, states.marks[SHARD].next) == (log.folded(), 5)


async def test_a_store_that_comes_back_older_between_states_and_marker_takes_no_marker() -> None:
    log = RoutedLog(CARDS)
    states = InMemoryStates()
    owner = Owner(log, states)
    await owner.assign()
    kept = states.kept()
    states.between = lambda: states.set_back(kept)
    await owner.handle()
    with pytest.raises(FencedError):
        await owner.writer.save()
    assert states.marks[SHARD] == Marker(0)
    states.between = lambda: None
    await owner.finish()
    assert states.stored == log.folded()


async def test_states_read_ahead_of_the_marker_are_written_before_it_moves() -> None:
    log = RoutedLog(CARDS)
    old, new, states = await two_owners(log)
    kept = states.kept()
    await old.handle()
    with pytest.raises(FencedError):
        await old.writer.save()
    await new.handle()
    # The late states are gone again, and the marker is as it was.
    states.set_back(kept)
    await new.writer.save()
    assert (states.stored, states.marks[SHARD].next) == (log.folded(), 4)


async def test_states_older_than_the_marker_that_was_taken_up_are_not_folded_on() -> None:
    log, states = RoutedLog([CARDS[0]] * 6), InMemoryStates()
    before, after = Owner(log, states.peer()), Owner(log, states)
    await before.assign()
    await before.handle(2)
    await before.writer.save()
    kept = states.kept()
    await before.handle(2)
    await before.writer.save()
    await after.assign()
    states.set_back(kept)
    with pytest.raises(FencedError, match="older"):
        await after.handle()
    await after.finish()
    assert states.stored == log.folded()


async def test_a_save_beside_a_read_is_not_taken_for_a_store_that_went_back() -> None:
    log, states = RoutedLog(CARDS[:2]), InMemoryStates()
    owner = Owner(log, states)
    await owner.assign()
    await owner.handle(1)
    read, answered, go_on = states.read, threading.Event(), threading.Event()

    def slow(keys: Sequence[tuple[Entity, str]]) -> Read:
        found = read(keys)
        answered.set()
        go_on.wait()
        return found

    states.read = slow  # type: ignore[method-assign]
    handling = asyncio.create_task(owner.handle(1))
    await asyncio.to_thread(answered.wait)
    await owner.writer.save()
    go_on.set()
    await handling
    await owner.writer.save()
    assert states.stored == log.folded()


async def test_a_lost_marker_goes_on_behind_what_is_routed_and_is_flagged() -> None:
    log = RoutedLog(CARDS)
    log.end = 4
    states = InMemoryStates()
    owner = Owner(log, states)
    await owner.assign()
    await owner.finish()
    assert states.marks[SHARD] == Marker(4)
    del states.marks[SHARD]
    log.add(CARDS[0])
    await owner.handle()
    with pytest.raises(FencedError, match="lost"):
        await owner.writer.save()
    await owner.assign()
    assert states.marks[SHARD] == Marker(4)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.online.writer._LOOK_SECONDS", 0.001)


async def asked(owner: Owner) -> None:
    async with asyncio.timeout(10):
        await owner.asked.wait()


async def test_a_quiet_writer_sees_that_its_marker_is_gone(quick: None) -> None:
    states = InMemoryStates()
    owner = Owner(RoutedLog(CARDS), states)
    await owner.assign()
    await owner.finish()
    watching = asyncio.create_task(owner.writer.watch())
    states.marks.clear()
    await asked(owner)
    with pytest.raises(FencedError):
        await owner.writer.handle([owner.log.batch(0)])
    await owner.assign()
    await owner.writer.handle([owner.log.batch(0)])
    watching.cancel()


async def test_a_shard_that_another_has_claimed_is_claimed_back_only_later(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _, _ = await two_owners(RoutedLog(CARDS))
    looked = _looks(old.states, 5)
    watching = asyncio.create_task(old.writer.watch())
    await old.handle()
    assert await asyncio.to_thread(looked.wait, 10)
    assert not old.asked.is_set()
    monkeypatch.setattr("projections.online.writer._YIELD_SECONDS", 0.0)
    await asked(old)
    watching.cancel()


def _looks(states: InMemoryStates, times: int) -> threading.Event:
    """Set once the epochs were read so often."""
    read, looked, count = states.epochs, threading.Event(), iter(range(1, times))

    def epochs() -> dict[int, int]:
        if next(count, None) is None:
            looked.set()
        return read()

    states.epochs = epochs  # type: ignore[method-assign]
    return looked


Step = tuple[int, str, int]
STEPS = ["handle", "save", "fail", "late", "assign", "keep", "back", "back between"]


@given(
    st.lists(st.sampled_from(CARDS), min_size=1, max_size=10),
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from(STEPS), st.integers(1, 4)), max_size=30),
)
@example([CARDS[0]] * 4, [(0, "handle", 1), (1, "assign", 1), (0, "save", 1), (1, "handle", 2)])
async def test_whatever_two_writers_do_one_alone_ends_with_the_fold_of_the_log(
    cards: Sequence[str], steps: Sequence[Step]
) -> None:
    log, states = RoutedLog(cards), InMemoryStates()
    owners = [Owner(log, states.peer(), most=3) for _ in range(2)]
    for owner in owners:
        await owner.assign()
    kept, late = states.kept(), dict[int, asyncio.Task[None]]()
    for number, step, much in steps:
        owner = owners[number]
        if number in late:
            owner.states.gate.set()
            await late.pop(number)
        owner.states.failures = much if step == "fail" else 0
        if step == "keep":
            kept = states.kept()
        elif step == "back":
            states.set_back(kept)
        elif step == "late":
            owner.states.gate.clear()
            late[number] = asyncio.create_task(_take(owner, step, much))
        else:
            if step == "back between":
                owner.states.between = _set_back_once(states, kept)
            await _take(owner, step, much)
            owner.states.between = lambda: None
        log.assert_covered(states)
    for number, under_way in late.items():
        owners[number].states.gate.set()
        await under_way
    last = owners[0]
    last.states.failures = 0
    await last.assign()
    await last.finish()
    assert states.stored == log.folded()
    assert states.marks[SHARD].next == len(log.records)


def _set_back_once(states: InMemoryStates, kept: Kept) -> Callable[[], None]:
    return lambda: states.set_back(kept)


async def _take(owner: Owner, step: str, much: int) -> None:
    try:
        if step == "assign":
            await owner.assign()
        elif step == "handle":
            await owner.handle(much)
        else:
            await owner.writer.save()
    except (FencedError, UnavailableError):
        pass
