"""A ledger whose index comes from the archive says what one says that has read all of the log."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import LogUnavailableError, UnavailableError
from domain.events import Envelope, TransactionLabelled
from eventlog.index.files import FilesInRam
from eventlog.ledger.ledger import Ledger
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import imported, labelled, scored, submitted
from tests.unit.eventlog.index.archives import InMemoryArchive, ShortLog

IDS = ("t-1", "t-2", "t-3")
DAY = 86_400_000_000

events = st.builds(
    lambda make, subject, digest, day: make(subject, digest=digest, known_time=day * DAY),
    st.sampled_from([submitted, scored, imported]),
    st.sampled_from(IDS),
    st.sampled_from("ab"),
    st.sampled_from([20_000, 20_001, 20_500]),
) | st.builds(labelled, st.sampled_from(IDS), reference=st.sampled_from("xy"))


async def filled(events: Sequence[Envelope]) -> ShortLog:
    log = ShortLog()
    for each in events:
        await log.append(TRANSACTIONS, each.subject, each)
    return log


async def opened(log: ShortLog, *of: object, far: int = 0) -> Ledger:
    ledger = Ledger(log, *of, far=far)  # type: ignore[arg-type]
    ledger.start()
    await ledger.caught_up()
    return ledger


async def said(ledger: Ledger, labels: Sequence[Envelope]) -> list[object]:
    """Of each id what is known, its records, and its labels that count."""
    found: list[object] = []
    for name in IDS:
        known = await ledger.recalled(name)
        found.append(known)
        if known is not None:
            found += [
                await ledger.submission(name, known),
                *(ledger.label(e.id, known) for e in labels if e.subject == name),
            ]
        if known is not None and known.scored_offset is not None:
            found.append(await ledger.decision(name, known))
    return [*found, await ledger.undecided()]


@settings(deadline=None, max_examples=25)
@given(st.lists(events, max_size=25), st.data())
def test_it_says_the_same(taken: list[Envelope], data: st.DataObject) -> None:
    async def compared() -> None:
        log = await filled(taken)
        ends = dict(enumerate(await log.ends(TRANSACTIONS)))
        labels = [each for each in taken if isinstance(each.data, TransactionLabelled)]
        whole = await opened(log)
        expected = await said(whole, labels)
        whole.close()
        archived = {p: data.draw(st.integers(0, end)) for p, end in ends.items()}
        archive, files = InMemoryArchive(log, archived), FilesInRam()
        # At first all of the log is there, then nothing of what is archived.
        for first in (0, min(archived[p] for p, end in ends.items() if end) if taken else 0):
            log.first = first
            ledger = await opened(log, files, archive)
            assert await said(ledger, labels) == expected
            assert ledger.ends() == list(ends.values())
            ledger.close()

    asyncio.run(compared())


async def test_what_comes_of_an_old_id_is_admitted_with_all_that_was_said_of_it() -> None:
    log = await filled([submitted("t-1"), labelled("t-1", reference="x")])
    partition = log.partition_of(TRANSACTIONS, "t-1")
    ledger = await opened(log, None, InMemoryArchive(log, {partition: 2}))
    # A copy and a label: their places are kept, and whoever asks reads all of them.
    for each in (submitted("t-1", digest="other"), labelled("t-1", reference="y")):
        place = await log.append(TRANSACTIONS, "t-1", each)
    await ledger.passed(place.partition, place.offset)
    known = await ledger.recalled("t-1")
    assert known is not None
    assert (known.digest, known.origin_offset) == ("d", 0)
    assert ledger.label(labelled("t-1", reference="y").id, known) == (partition, 3)
    ledger.close()


async def test_an_archive_that_is_away_is_done_without_where_the_log_has_all() -> None:
    log = await filled([submitted("t-1"), submitted("t-2")])
    archive = InMemoryArchive(log, dict.fromkeys(range(TRANSACTIONS.partitions), 1))
    archive.trouble = UnavailableError("archive", "away")
    ledger = await opened(log, None, archive)
    assert await ledger.recalled("t-1")
    ledger.close()


async def test_a_partition_whose_beginning_is_nowhere_is_waited_for_and_keeps_no_other() -> None:
    log = await filled([submitted(f"t-{n}") for n in range(60)])
    log.first = 2
    lost = log.partition_of(TRANSACTIONS, "t-1")
    ends = dict(enumerate(await log.ends(TRANSACTIONS)))
    archive = InMemoryArchive(log, {p: end for p, end in ends.items() if p != lost})
    ledger = Ledger(log, None, archive, far=0)
    ledger.start()
    await ledger.caught_up(upto={p: end - 1 for p, end in ends.items() if p != lost})
    with pytest.raises(LogUnavailableError):
        await ledger.passed(lost, 0, within=0.05)
    ledger.close()


@pytest.mark.parametrize("longer", [0, 5])
async def test_an_archive_of_another_log_is_not_used(longer: int) -> None:
    """Whether it reaches further than this one or not."""
    log = await filled([submitted("t-1", digest="ours"), submitted("t-1")])
    partition = log.partition_of(TRANSACTIONS, "t-1")
    other = await filled([submitted("t-1", digest="theirs") for _ in range(2 + longer)])
    ledger = await opened(log, None, InMemoryArchive(other, {partition: 2 + longer}))
    known = await ledger.recalled("t-1")
    assert known is not None
    assert known.digest == "ours"
    ledger.close()
