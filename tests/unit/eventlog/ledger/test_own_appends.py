"""What a process appends itself is known at its acknowledgement, unless others wrote before it."""

import asyncio
import threading
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import LogUnavailableError
from domain.events import Envelope
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog, InMemoryTail
from eventlog.ledger import waiting
from eventlog.ledger.ledger import Ledger
from eventlog.topics import TRANSACTIONS, Topic
from tests.fakes.events import imported, scored, submitted

IDS = ("t-1", "t-2")


class SlowLog(InMemoryEventLog):
    """Its tails give a record for each `release` of `turns`, and nothing otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = threading.Semaphore(0)

    def tail(
        self, topic: Topic, start: Mapping[int, int], *, gathered: bool = False
    ) -> InMemoryTail:
        return SlowTail(self, topic, start)


class SlowTail(InMemoryTail):
    def poll(self, timeout: float, most: int = 1000) -> list[object]:  # type: ignore[override]
        assert isinstance(self._log, SlowLog)
        if not self._log.turns.acquire(timeout=timeout / 10):
            return []
        return list(super().poll(0.0, 1))


async def test_what_lands_right_behind_is_known_without_the_tail() -> None:
    log = SlowLog()
    ledger = Ledger(log)
    ledger.start()
    await ledger.caught_up()
    heard: list[Envelope] = []
    ledger.listen(lambda _, envelope: heard.append(envelope))
    first, second = submitted("t-1"), scored("t-1")
    await ledger.append(first)
    place = await ledger.append(second)
    await ledger.passed(place.partition, place.offset, within=0.0)
    known = ledger.known("t-1")
    assert known is not None
    assert (known.origin_offset, known.scored_offset) == (0, 1)
    assert heard == [first, second]
    # The tail brings them again, and changes nothing.
    log.turns.release(10)
    other = await log.append(TRANSACTIONS, "t-1", scored("t-1"))
    await ledger.passed(other.partition, other.offset)
    assert (len(heard), ledger.void) == (2, 1)
    ledger.close()


async def test_what_another_process_wrote_before_is_waited_for() -> None:
    log = SlowLog()
    ledger = Ledger(log)
    ledger.start()
    await ledger.caught_up()
    await log.append(TRANSACTIONS, "t-1", submitted("t-1", digest="theirs"))
    place = await ledger.append(submitted("t-1", digest="ours"))
    assert ledger.known("t-1") is None
    # The tail brings nothing: the ledger looks itself.
    await ledger.passed(place.partition, place.offset)
    known = ledger.known("t-1")
    assert known is not None
    assert known.digest == "theirs"
    ledger.close()


async def test_many_that_were_written_before_are_left_to_the_tail() -> None:
    log = SlowLog()
    ledger = Ledger(log)
    ledger.start()
    await ledger.caught_up()
    for _ in range(250):
        place = await log.append(TRANSACTIONS, "t-1", submitted("t-1"))
    with pytest.raises(LogUnavailableError, match="our own tail did not reach"):
        await ledger.passed(place.partition, place.offset, within=0.2)
    log.turns.release(80)
    await ledger.passed(place.partition, 79)
    await ledger.passed(place.partition, place.offset)
    ledger.close()


async def test_what_is_told_is_known_where_it_lies_right_behind() -> None:
    log = SlowLog()
    ledger = Ledger(log)
    ledger.start()
    await ledger.caught_up()
    for subject in ("t-1", "t-1-again", "t-1"):
        place = await log.append(TRANSACTIONS, "t-1", submitted(subject))
    records = list(log.read(TRANSACTIONS))
    ledger.learn(records[1:])
    assert ledger.ends()[place.partition] == 0
    ledger.learn(records[:2])
    ledger.learn(records)
    assert ledger.ends()[place.partition] == 3
    assert ledger.known("t-1-again") is not None
    assert ledger.void == 1
    ledger.close()


events = st.builds(
    lambda make, subject, digest: make(subject, digest),
    st.sampled_from([submitted, scored, imported]),
    st.sampled_from(IDS),
    st.sampled_from("ab"),
)
steps = st.lists(st.tuples(events, st.booleans(), st.integers(0, 2)), max_size=20)


@settings(deadline=None)
@given(taken=steps)
def test_however_fast_the_tail_is_the_ledger_says_what_the_log_says(
    taken: Sequence[tuple[Envelope, bool, int]],
) -> None:
    async def written() -> None:
        log = SlowLog()
        ledger = Ledger(log)
        ledger.start()
        await ledger.caught_up()
        heard: list[tuple[int, int]] = []
        ledger.listen(lambda place, _: heard.append((place.partition, place.offset)))
        for envelope, ours, turns in taken:
            place = await (
                ledger.append(envelope)
                if ours
                else log.append(TRANSACTIONS, envelope.subject, envelope)
            )
            if turns:
                log.turns.release(turns)
            if ours and turns == 2:
                log.turns.release(1 + len(taken))
                await ledger.passed(place.partition, place.offset)
        log.turns.release(1 + len(taken))
        await ledger.barrier()
        admission, memory = Admission(expected := DictMemory()), expected
        counts = [
            (each.position.partition, each.position.offset)
            for each in log.read(TRANSACTIONS)
            if admission.admit(decode(each.value), each.position.partition, each.position.offset)
        ]
        assert [ledger.known(each) for each in IDS] == [memory.known(each) for each in IDS]
        assert sorted(heard) == sorted(counts)
        assert ledger.ends() == list(await log.ends(TRANSACTIONS))
        ledger.close()

    asyncio.run(written())


async def test_a_failed_append_leaves_the_ledger_as_it_was() -> None:
    log = InMemoryEventLog()
    ledger = Ledger(log)
    ledger.start()
    await ledger.caught_up()
    log.close()
    with pytest.raises(Exception, match="has been closed"):
        await ledger.append(submitted("t-1"))
    assert ledger.known("t-1") is None
    ledger.close()


async def test_a_long_way_is_waited_for_with_a_sign_of_life_while_it_gets_shorter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "_SIGN_SECONDS", 0.05)
    log = SlowLog()
    ledger = Ledger(log)
    ledger.start()
    await ledger.caught_up()
    for number in range(3):
        await log.append(TRANSACTIONS, "t-1", submitted(f"t-{number}"))
    signs: asyncio.Queue[bool] = asyncio.Queue()
    caught_up = asyncio.ensure_future(ledger.caught_up(lambda: signs.put_nowait(True)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(signs.get(), 0.3)
    log.turns.release(1)
    assert await asyncio.wait_for(signs.get(), 10)
    assert not caught_up.done()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(signs.get(), 0.3)
    log.turns.release(10)
    await asyncio.wait_for(caught_up, 10)
    ledger.close()
