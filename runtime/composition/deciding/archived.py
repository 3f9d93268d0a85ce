"""Composition of the archive as an index of ids asks it: opened when it is first asked."""

from functools import cached_property
from typing import TYPE_CHECKING

from domain.errors import SettingsError, UnavailableError
from eventlog.index.ports import ArchivedEntries
from eventlog.port import Recorded
from eventlog.topics import TRANSACTIONS

if TYPE_CHECKING:
    from eventlog.archive.ids import ArchivedIds


class LateArchive:
    """Implements eventlog.index.ports.Archived: a process that needs no archive loads nothing for
    it, and one whose archive cannot be reached begins all the same."""

    def __init__(self, url: str) -> None:
        self._url = url

    def next(self, partition: int) -> int:
        return self._opened.next(partition)

    def entries(self, partition: int) -> ArchivedEntries:
        return self._opened.entries(partition)

    def record(self, partition: int, offset: int) -> Recorded:
        return self._opened.record(partition, offset)

    @cached_property
    def _opened(self) -> "ArchivedIds":
        from eventlog.archive.folder import ArchiveFolder
        from eventlog.archive.ids import ArchivedIds

        try:
            return ArchivedIds(ArchiveFolder(self._url, TRANSACTIONS))
        except SettingsError as error:
            raise UnavailableError("archive", str(error)) from error
