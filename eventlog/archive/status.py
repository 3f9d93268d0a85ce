"""Status of an archive: how far each partition is archived, and its size."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import NotFoundError, UnavailableError
from eventlog.archive.folder import ArchiveFolder, positions
from eventlog.archive.layout import Piece


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """`archived` and `end` are the offsets after the last, of the archive and of the log.

    `oldest` and `newest` are the known times (microseconds UTC) of what features fold, None where
    there is none. `unreachable` are files behind a gap, which are not read.
    """

    partition: int
    archived: int
    end: int
    files: int
    size: int
    oldest: int | None
    newest: int | None
    unreachable: int

    @property
    def lag(self) -> int:
        """Records that are in the log alone."""
        return self.end - self.archived


def status_of(folder: ArchiveFolder, ends: Sequence[int]) -> list[PartitionStatus]:
    """Each partition of the log. Raises UnavailableError where there is no archive."""
    if not folder.exists():
        raise UnavailableError(
            "archive",
            f"there is no {folder.place}: the archive worker makes it with the first file that it "
            "writes (RETRACE_ARCHIVE_SECONDS after the first record); or RETRACE_ARCHIVE_URL is "
            "to name another place",
        )
    try:
        return _all(folder, ends)
    except NotFoundError:
        # A file was merged into another meanwhile.
        return _all(folder, ends)


def _all(folder: ArchiveFolder, ends: Sequence[int]) -> list[PartitionStatus]:
    sizes = folder.sizes()
    reached = positions(list(sizes))
    return [
        _status(folder, {p: s for p, s in sizes.items() if p.partition == partition},
                partition, reached.get(partition, 0), end)
        for partition, end in enumerate(ends)
    ]  # fmt: skip


def _status(
    folder: ArchiveFolder, sizes: dict[Piece, int], partition: int, archived: int, end: int
) -> PartitionStatus:
    known = [held for piece in sizes if (held := folder.bounds(piece, "known_time"))]
    return PartitionStatus(
        partition,
        archived,
        # A file may have been added since the log was asked.
        max(archived, end),
        len(sizes),
        sum(sizes.values()),
        min((least for least, _ in known), default=None),
        max((greatest for _, greatest in known), default=None),
        sum(piece.first > archived for piece in sizes),
    )
