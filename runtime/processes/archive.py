"""`archive` worker: copies the TRANSACTIONS topic into the archive."""

from functools import partial

from eventlog.archive.folder import ArchiveFolder
from eventlog.topics import TRANSACTIONS
from projections.archive.worker import Archiver, Cut
from projections.ports import Workload
from runtime.processes.workload import Tools


def archive(tools: Tools) -> Workload:
    folder = ArchiveFolder(tools.settings.archive_url, TRANSACTIONS)
    cut = Cut(seconds=tools.settings.archive_seconds)

    ends = partial(tools.log.ends, TRANSACTIONS)
    archiver = Archiver(folder, tools.admission(TRANSACTIONS), cut, ends, tools.log.read_one)
    return Workload({TRANSACTIONS: archiver}, beside=[archiver.watch])
