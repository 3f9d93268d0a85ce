"""Entries from the columns of an archive: those that admission gives for the records themselves."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import Envelope
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.ids import ArchivedIds
from eventlog.archive.layout import Piece
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.codec import encode
from eventlog.index.blocks import Reached, mark_of
from eventlog.index.entries import about, entry_of, name_of
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import concluded, imported, labelled, promoted, scored, submitted

IDS = ("t-1", "t-2", "Ähre/3")
events = st.builds(
    lambda make, subject: make(subject),
    st.sampled_from([submitted, scored, imported, labelled, concluded, promoted]),
    st.sampled_from(IDS),
)


def archived(place: Path, taken: list[Envelope], cuts: set[int]) -> set[tuple[int, int]]:
    """Writes them as the archive worker does, in pieces; returns the entries that are to be."""
    folder, admission = ArchiveFolder(str(place), TRANSACTIONS), Admission(DictMemory())
    records, expected = [], set()
    for offset, each in enumerate(taken):
        counts, found = admission.admit(each, 2, offset), about(each)
        if counts and found:
            expected.add((name_of(found[0]), entry_of(offset, found[1])))
        status = "counts" if counts else "void"
        records.append(ArchivedRecord(offset, b"k", encode(each), status, each))
    records.append(ArchivedRecord(len(taken), None, b"{no event", "dead", None))
    ends = sorted({*cuts & set(range(1, len(records))), len(records)})
    for first, end in zip([0, *ends], ends, strict=False):
        # Each begins a little before the end of the one before it.
        at = max(0, first - 1)
        folder.add(Piece(2, at, end - 1), table_of(records[at:end]))
    return expected


@settings(deadline=None, max_examples=25)
@given(st.lists(events, max_size=12), st.sets(st.integers(1, 12), max_size=3), st.integers())
def test_they_are_what_counts_and_is_remembered(
    tmp_path_factory: object, taken: list[Envelope], cuts: set[int], number: int
) -> None:
    place = tmp_path_factory.mktemp(f"archive{abs(number) % 1000}")  # type: ignore[attr-defined]
    expected = archived(place, taken, cuts)
    ids = ArchivedIds(ArchiveFolder(str(place), TRANSACTIONS))
    found = ids.entries(2)
    names, entries = (part.tolist() for part in found.entries)
    assert names == sorted(names)
    assert set(zip(names, entries, strict=True)) == expected
    assert len(names) == len(expected)
    assert found.reached == Reached(len(taken) + 1, len(taken), mark_of(b"{no event"))
    assert (ids.next(2), ids.next(3)) == (len(taken) + 1, 0)
    for offset, each in enumerate(taken):
        assert ids.record(2, offset).value == encode(each)
