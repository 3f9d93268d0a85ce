"""The newest known time in the log before an import."""

from domain.errors import NotFoundError
from domain.events import Envelope
from eventlog.codec import encode
from eventlog.port import Position, Recorded
from operations.log.imports import newest_known
from tests.fakes.events import NOW, imported, labelled

Log = list[list[Envelope | None]]


def newest(log: Log) -> int | None:
    def read_one(at: Position) -> Recorded:
        if not 0 <= at.offset < len(log[at.partition]):
            raise NotFoundError("record", str(at))
        found = log[at.partition][at.offset]
        return Recorded(at, None, encode(found) if found else b"no event")

    return newest_known([len(each) for each in log], read_one, "this file")


def known(time: int, of: str = "another") -> Envelope:
    return imported(known_time=time, correlation_id=of)


def test_it_is_the_greatest_at_the_ends_of_all_partitions() -> None:
    label = labelled(known_time=NOW + 3, correlation_id="another")
    assert newest([[known(NOW + 9), known(NOW + 1)], [label], []]) == NOW + 3


def test_an_empty_log_has_none() -> None:
    assert newest([[], []]) is None
    assert newest([[], [None]]) is None


def test_what_the_same_file_gave_is_left_out() -> None:
    again = known(NOW + 5, of="this file")
    assert newest([[again], [known(NOW)]]) == NOW
    assert newest([[again]]) is None
