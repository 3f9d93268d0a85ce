"""Projections: every record is projected, void or dead-lettered, as the contract says of it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from domain.errors import IntegrityError
from domain.events import RecordDeadLettered
from eventlog.dead_letters import unseal
from eventlog.port import Recorded
from eventlog.topics import ALERTS, TRANSACTIONS
from faults.audit.evidence import Evidence, Finding, ProjectionEvidence
from faults.audit.reading import Reading, end_of
from projections.ports import CheckedRecord, Counts, RecordStatus

CHECK = "projections"


def check_projections(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    read = {TRANSACTIONS.name: reading.transactions, ALERTS.name: reading.alerts}
    stored = {TRANSACTIONS.name: evidence.transactions, ALERTS.name: evidence.alerts}
    for name, projection in sorted(evidence.read_models.items()):
        for partition, records in enumerate(read[projection.topic]):
            where = f"{name}: {projection.topic}/{partition}"
            statuses = [_status(record, projection) for record in records]
            wrongs = [
                *_position(projection.positions.get(partition, 0), end_of(records)),
                *_counts(projection, partition, statuses),
                *_kept(projection, partition, records, statuses),
            ]
            yield from (Finding(CHECK, f"{where}: {wrong}") for wrong in wrongs)
            values = stored[projection.topic][partition]
            for record, status, recorded in zip(records, statuses, values, strict=True):
                wrong = _letter(evidence, reading, projection, record, status, recorded)
                if wrong:
                    yield Finding(CHECK, f"{where}/{record.position.offset}: {wrong}")


def _status(record: CheckedRecord, projection: ProjectionEvidence) -> RecordStatus:
    place = record.position.partition, record.position.offset
    return "dead" if place in projection.unfoldable else record.status


def _position(position: int, end: int) -> Iterator[str]:
    if position != end:
        side = "behind" if position < end else "ahead of"
        yield f"its position {position} is {side} the log's end {end}"


def _counts(
    projection: ProjectionEvidence, partition: int, statuses: Sequence[RecordStatus]
) -> Iterator[str]:
    if projection.counts is None:
        return
    found = projection.counts.get(partition, Counts())
    totals = Counter(statuses)
    expected = Counts(totals["counts"], totals["void"], totals["dead"])
    if found != expected:
        yield f"it counted {_shown(found)}; the log holds {_shown(expected)}"


def _shown(counts: Counts) -> str:
    return f"{counts.projected} projected + {counts.void} void + {counts.dead} dead"


def _kept(
    projection: ProjectionEvidence,
    partition: int,
    records: Sequence[CheckedRecord],
    statuses: Sequence[RecordStatus],
) -> Iterator[str]:
    for record, status in zip(records, statuses, strict=True):
        kept = projection.statuses.get((partition, record.position.offset), status)
        if kept != status:
            yield f"offset {record.position.offset} was taken as {kept}, and is {status}"


def _letter(
    evidence: Evidence,
    reading: Reading,
    projection: ProjectionEvidence,
    record: CheckedRecord,
    status: RecordStatus,
    recorded: Recorded,
) -> str | None:
    place = projection.topic, record.position.partition, record.position.offset
    letters = [e for e in reading.letters.get(place, ()) if e.reader == projection.reader]
    if status != "dead":
        return f"set aside as {letters[0].reason!r}, and can be used" if letters else None
    if not letters:
        return f"cannot be used, and {projection.reader} set no dead letter aside"
    key = evidence.dead_letter_key
    if key is not None and not any(_opened(each, key) == recorded.value for each in letters):
        return "its dead letter does not hold the original bytes"
    return None


def _opened(letter: RecordDeadLettered, key: bytes) -> bytes | None:
    try:
        return unseal(letter.sealed, key)
    except IntegrityError:
        return None
