"""Facts of one transaction id, found by the one partition that holds them all."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from domain.errors import NotFoundError, UndecodableError
from domain.events import Envelope, TransactionImported, TransactionSubmitted
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.archive.folder import ArchiveFolder, chain, positions
from eventlog.archive.of_entities import Checked
from eventlog.codec import decode, glance
from eventlog.port import EventLog, Position
from eventlog.topics import TRANSACTIONS

Fact = tuple[Position, Envelope]
_ORIGINS = TransactionSubmitted | TransactionImported


def facts_of(
    log: EventLog, folder: ArchiveFolder, ends: Sequence[int], transaction_id: str, checked: Checked
) -> list[Fact]:
    """What counts of the id, in the log's order; nothing for an unknown one.

    Reads one column of the archive's files of the partition, the newest first, as far back as its
    origin. Raises as `EntityReader`.
    """
    try:
        return _facts(log, folder, ends, transaction_id, checked)
    except NotFoundError:
        # A file was merged into another meanwhile.
        return _facts(log, folder, ends, transaction_id, checked)


def _facts(
    log: EventLog, folder: ArchiveFolder, ends: Sequence[int], transaction_id: str, checked: Checked
) -> list[Fact]:
    partition = log.partition_of(TRANSACTIONS, transaction_id)
    pieces = folder.pieces(partition)
    end = min(positions(pieces).get(partition, 0), ends[partition])
    archived: list[Fact] = []
    for link in reversed(list(chain(pieces, 0, end))):
        checked()
        table = folder.read(link.piece, ["offset", "subject", "verdict"])
        mask = pc.and_(
            pc.equal(table["subject"], transaction_id),
            pc.equal(table["verdict"].cast(pa.string()), "counts"),
        )
        if not pc.any(mask).as_py():
            continue
        found = folder.read(link.piece, ["offset", "value"]).filter(mask)
        rows = zip(found["offset"].to_pylist(), found["value"].to_pylist(), strict=True)
        facts = [
            (Position(TRANSACTIONS.name, partition, offset), decode(value))
            for offset, value in rows
            if link.begin <= offset < end
        ]
        archived = facts + archived
        if any(isinstance(envelope.data, _ORIGINS) for _, envelope in facts):
            break
    return archived + list(_live(log, partition, end, ends, transaction_id, archived))


def _live(
    log: EventLog,
    partition: int,
    start: int,
    ends: Sequence[int],
    transaction_id: str,
    archived: Sequence[Fact],
) -> Iterator[Fact]:
    admission = Admission(DictMemory())
    for place, envelope in archived:
        admission.admit(envelope, place.partition, place.offset)
    begin = {p: start if p == partition else end for p, end in enumerate(ends)}
    for recorded in log.read(TRANSACTIONS, begin, dict(enumerate(ends))):
        place = recorded.position
        try:
            if glance(recorded.value).subject != transaction_id:
                continue
            envelope = decode(recorded.value)
        except UndecodableError:
            continue
        if admission.admit(envelope, place.partition, place.offset):
            yield place, envelope
