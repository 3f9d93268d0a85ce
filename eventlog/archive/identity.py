"""Check that an archive belongs to this log."""

from collections.abc import Callable, Sequence

import pyarrow.compute as pc

from domain.errors import IntegrityError, NotFoundError, UndecodableError
from eventlog.archive.folder import ArchiveFolder, positions
from eventlog.archive.layout import Piece
from eventlog.codec import decode
from eventlog.port import Position, Recorded

ReadOne = Callable[[Position], Recorded]
"""As EventLog.read_one."""


def check_same_log(
    folder: ArchiveFolder, pieces: Sequence[Piece], ends: Sequence[int], read_one: ReadOne
) -> None:
    """Compares the newest archived event of each partition with the log's at its position.

    `pieces` are to be listed before `ends` are asked for. Raises IntegrityError; passes where the
    log no longer holds the record. Blocking.
    """
    for partition, at in positions(pieces).items():
        if at > ends[partition]:
            raise _another(
                folder, f"holds partition {partition} up to offset {at}, and the log ends at "
                f"{ends[partition]}"
            )  # fmt: skip
    for partition, at in positions(pieces).items():
        newest = max((p for p in pieces if p.partition == partition and p.last < at), default=None)
        if newest is not None:
            _compare(folder, newest, read_one)


def _compare(folder: ArchiveFolder, piece: Piece, read_one: ReadOne) -> None:
    try:
        table = folder.read(piece, ("offset", "event_id"))
    except NotFoundError:
        # Merged meanwhile by a worker, which makes this check itself.
        return
    named = table.filter(pc.is_valid(table["event_id"]))
    if not len(named):
        return
    last = named.slice(len(named) - 1).to_pylist()[0]
    position = Position(folder.topic.name, piece.partition, last["offset"])
    try:
        found = decode(read_one(position).value).id
    except NotFoundError:
        return
    except UndecodableError:
        found = "what is no event"
    if found != last["event_id"]:
        raise _another(
            folder, f"has {last['event_id']!r} at offset {last['offset']} of partition "
            f"{piece.partition}, and the log {found!r}"
        )  # fmt: skip


def _another(folder: ArchiveFolder, why: str) -> IntegrityError:
    return IntegrityError(
        f"the archive {folder.place} {why}: it is of another log; move it away, or set "
        "RETRACE_ARCHIVE_URL to another place"
    )
