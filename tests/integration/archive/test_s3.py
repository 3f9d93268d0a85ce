"""The archive in a bucket of a real S3 server, over HTTP."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from domain.errors import NotFoundError, UnavailableError
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.layout import Piece
from eventlog.archive.status import status_of
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import NOW, scored

PIECE = Piece(3, 0, 0)
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        # It says so once it listens.
        assert any("Running on" in line for line in server.stderr), "the S3 server has ended"
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
        assert server.stderr is not None
        server.stderr.close()


@pytest.fixture
def opened(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveFolder]:
    """The archive below a prefix of a bucket that is there."""
    for name, value in _KEYS.items():
        monkeypatch.setenv(name, value)
    httpx.put(f"http://{endpoint}/there", headers={"Authorization": _AUTHORISED}).raise_for_status()
    yield at(endpoint, "there")
    httpx.post(f"http://{endpoint}/moto-api/reset").raise_for_status()


_AUTHORISED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def at(endpoint: str, bucket: str) -> ArchiveFolder:
    where = quote(f"http://{endpoint}", safe="")
    url = f"s3://{bucket}/some/prefix?endpoint_override={where}&region=us-east-1"
    return ArchiveFolder(url, TRANSACTIONS)


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


def test_a_bucket_that_is_missing_is_named_with_what_to_do(
    opened: ArchiveFolder, endpoint: str
) -> None:
    with pytest.raises(UnavailableError, match=r"missing/some/prefix.*bucket does not exist"):
        at(endpoint, "missing").add(PIECE, table_of([]))
