"""The archive in a bucket of a real S3 server, over HTTP."""

import re
from collections.abc import Callable

import pytest

from domain.errors import NotFoundError, UnavailableError
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.layout import Piece
from eventlog.archive.status import status_of
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import NOW, scored

PIECE = Piece(3, 0, 0)


@pytest.fixture
def opened(s3: Callable[[str], str]) -> ArchiveFolder:
    """The archive below a prefix of a bucket that is there."""
    return ArchiveFolder(s3("there"), TRANSACTIONS)


def test_a_piece_is_added_listed_read_and_removed(opened: ArchiveFolder) -> None:
    table = table_of([ArchivedRecord(0, b"t-1", b"{}", "counts", scored())])
    assert opened.pieces() == []
    assert not opened.exists()
    opened.add(PIECE, table)
    assert opened.exists()
    assert opened.pieces() == [PIECE]
    *_, status = status_of(opened, [0, 0, 0, 1])
    assert (status.archived, status.files, status.oldest) == (1, 1, NOW)
    assert status.size == opened.sizes()[PIECE] > 0
    assert opened.read(PIECE, ["offset", "value"]).to_pylist() == [{"offset": 0, "value": b"{}"}]
    opened.remove(PIECE)
    assert opened.pieces() == []
    with pytest.raises(NotFoundError, match=re.escape(PIECE.path)):
        opened.read(PIECE, ["offset"])


def test_a_bucket_that_is_missing_is_named_with_what_to_do(s3: Callable[[str], str]) -> None:
    with pytest.raises(UnavailableError, match=r"missing/some/prefix.*bucket does not exist"):
        ArchiveFolder(s3("missing"), TRANSACTIONS).add(PIECE, table_of([]))
