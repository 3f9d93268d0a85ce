"""Events of a few entities: all that the whole history holds of them, from fewer files."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import UnavailableError
from domain.events import Envelope
from domain.features import Entity
from domain.times import DAY
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.archive import of_entities
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.archive.layout import Piece
from eventlog.archive.of_entities import Asked, EntityEvents, EntityReader, ids_of
from eventlog.archive.of_one import facts_of
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from tests.builders.feature_streams import examples
from tests.fakes.events import NOW, imported, labelled, scored, submitted

_MAKERS = {"submitted": submitted, "scored": scored, "imported": imported}
_FACTS = st.lists(
    st.tuples(
        st.sampled_from([*_MAKERS, "labelled"]),
        st.integers(0, 11),  # of which transaction
        st.integers(0, 40),  # days before now
    ),
    max_size=40,
)


@pytest.fixture(autouse=True, scope="module")
def _small_files() -> Iterator[None]:
    """Copies are sought in all files, which are smaller here than copies are far."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_entities, "_NEWEST", 100)
        yield


class Archived:
    """A log, of which the archive holds the first `parts` of each partition, `size` a file."""

    def __init__(self, folder: str, facts: list[Envelope], share: float, size: int) -> None:
        self.log = InMemoryEventLog()
        for fact in facts:
            self.log.append_nowait(TRANSACTIONS, fact.subject, fact)
        self.ends = self.log._ends(TRANSACTIONS)
        self.folder = ArchiveFolder(folder, TRANSACTIONS)
        admission, records = Admission(DictMemory()), dict[int, list[ArchivedRecord]]()
        for each in self.log.read(TRANSACTIONS):
            place, envelope = each.position, decode(each.value)
            counts = admission.admit(envelope, place.partition, place.offset)
            records.setdefault(place.partition, []).append(
                ArchivedRecord(
                    place.offset, None, each.value, "counts" if counts else "void", envelope
                )
            )
        for partition, mine in records.items():
            end = int(len(mine) * share)
            for first in range(0, end, size):
                some = mine[first : min(first + size, end)]
                piece = Piece(partition, some[0].offset, some[-1].offset)
                self.folder.add(piece, table_of(some))

    def asked(self, since: int, **more: Any) -> Asked:
        ids = ids_of([(Entity.PAYER, "ann"), (Entity.DEVICE, "phone")])
        given: dict[str, Any] = {"ends": self.ends, "known": 1 << 60, "made": 1 << 60}
        return Asked(ids, since, **(given | more))

    def found(self, asked: Asked) -> EntityEvents:
        return EntityReader(self.log, self.folder).events(asked, self.ends, lambda: None)


def facts_from(drawn: list[tuple[str, int, int]]) -> list[Envelope]:
    """Each transaction has one payer and one time; labels follow what they are about."""
    made: list[Envelope] = []
    begun: set[str] = set()
    for kind, number, days in drawn:
        name, time = f"t-{number}", NOW - (number * 7 % 41) * DAY
        keys = {
            "customer_id": "ann" if number % 2 else "bob",
            "device_id": ["phone", None][number % 3 % 2],
        }
        if kind == "labelled":
            if name in begun:
                fact = labelled(name, f"r-{days % 2}")
                data = replace(fact.data, transaction_time=time, **keys)
                made.append(replace(fact, data=data, known_time=time + days * DAY))
            continue
        if kind == "scored" and name not in begun:
            continue
        begun.add(name)
        fact = _MAKERS[kind](name)
        paid = replace(fact.data.transaction, timestamp=time, **keys)
        data = replace(fact.data, transaction=paid)
        made.append(replace(fact, data=data, time=time, known_time=time))
    return made


def content(made: EntityEvents, since: int) -> list[tuple[Any, ...]]:
    table = made.table
    rows = [(*row, int(known), name) for row, known, name in
            zip(table.rows.tolist(), table.known, table.transaction_ids, strict=True)]  # fmt: skip
    return sorted(row for row in rows if row[3] >= since)


@given(_FACTS, st.floats(0, 1), st.integers(1, 5), st.integers(0, 40))
@examples(25)
def test_nothing_of_them_is_missed(
    drawn: list[tuple[str, int, int]], share: float, size: int, days: int
) -> None:
    since = NOW - days * DAY
    with tempfile.TemporaryDirectory() as folder:
        given = Archived(folder, facts_from(drawn), share, size)
        made = given.found(given.asked(since))
        whole = History(given.log, given.folder, given.ends).events(since=since)
        named = {
            entity: {n for n, key in enumerate(whole.keys[entity]) if key == name}
            for entity, name in ((Entity.PAYER, "ann"), (Entity.DEVICE, "phone"))
        }
        mine = [
            any(whole.codes[entity][at] in numbers for entity, numbers in named.items())
            for at in range(len(whole))
        ]
        rows = zip(whole.rows.tolist(), whole.known, whole.transaction_ids, mine, strict=True)
        expected = sorted((*row, int(known), name) for row, known, name, its in rows if its)
    assert content(made, since) == expected
    assert len(made.event_ids) == len(made.table)
    pairs = zip(made.event_ids, made.table.transaction_ids, strict=True)
    assert all(name in event_id.split("/") for event_id, name in pairs)


@given(_FACTS, st.floats(0, 1), st.integers(1, 5), st.integers(0, 11))
@examples(20)
def test_the_facts_of_one_id_are_those_that_count(
    drawn: list[tuple[str, int, int]], share: float, size: int, number: int
) -> None:
    name = f"t-{number}"
    with tempfile.TemporaryDirectory() as folder:
        given = Archived(folder, facts_from(drawn), share, size)
        found = facts_of(given.log, given.folder, given.ends, name, lambda: None)
        whole = History(given.log, given.folder, given.ends).counting()
        expected = [each for each in whole if each.envelope.subject == name]
    assert [place for place, _ in found] == sorted(each.position for each in expected)


def test_files_without_anything_of_the_span_stay_closed() -> None:
    facts = [("imported", number, 0) for number in (1, 3, 5, 7, 9, 11)]
    with tempfile.TemporaryDirectory() as folder:
        given = Archived(folder, facts_from(facts), 1.0, 1)
        everything = given.found(given.asked(0))
        # Of t-1, t-3, t-5 (7, 21 and 35 days ago), t-7 (8), t-9 (22) and t-11 (36).
        recent = given.found(given.asked(NOW - 10 * DAY))
        nothing = [0] * len(given.ends)
        early = given.found(given.asked(0, ends=nothing, made=NOW - 30 * DAY))
        known = given.found(given.asked(0, ends=nothing, known=NOW - 30 * DAY))
        with pytest.raises(UnavailableError):
            EntityReader(given.log, given.folder).events(given.asked(0), given.ends, _impatient)
    assert (everything.files, everything.opened, everything.records) == (6, 6, 6)
    assert (recent.opened, early.opened, known.opened) == (2, 2, 2)
    assert sorted(recent.table.transaction_ids) == ["t-1", "t-7"]


def _impatient() -> None:
    raise UnavailableError("explanation", "takes too long")
