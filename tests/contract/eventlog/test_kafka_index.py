"""An index of ids over a real log of which only the end is left, and a real archive."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.adapters.kafka_connection import connection
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.ids import ArchivedIds
from eventlog.archive.layout import Piece
from eventlog.archive.writing import ArchivedRecord, table_of
from eventlog.codec import decode
from eventlog.index.files import FolderFiles
from eventlog.ledger.ledger import Ledger
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import TRANSACTIONS
from tests.fakes.events import labelled, scored, submitted


@pytest.fixture
def log(kafka: KafkaSettings) -> Iterator[KafkaEventLog]:
    log = KafkaEventLog(kafka)
    yield log
    log.close()


def archived(log: KafkaEventLog, place: Path) -> dict[int, int]:
    """Writes all that is there; returns its end by partition."""
    folder, admission = ArchiveFolder(str(place), TRANSACTIONS), Admission(DictMemory())
    records: dict[int, list[ArchivedRecord]] = {}
    for each in log.read(TRANSACTIONS):
        partition, offset, envelope = (
            each.position.partition, each.position.offset, decode(each.value)
        )  # fmt: skip
        status = "counts" if admission.admit(envelope, partition, offset) else "void"
        records.setdefault(partition, []).append(
            ArchivedRecord(offset, (each.key or "").encode(), each.value, status, envelope)
        )
    for partition, held in records.items():
        folder.add(Piece(partition, 0, len(held) - 1), table_of(held))
    return {partition: len(held) for partition, held in records.items()}


async def test_what_the_log_has_deleted_is_known_from_the_archive_and_after_a_restart(
    log: KafkaEventLog, kafka: KafkaSettings, tmp_path: Path
) -> None:
    names = [f"t-{n}" for n in range(20)]
    for name in names:
        for each in (submitted(name), submitted(name, digest="void"), scored(name)):
            await log.append(TRANSACTIONS, name, each)
    ends = archived(log, tmp_path / "archive")
    stored = topic_name(kafka.topic_prefix, TRANSACTIONS)
    gone = [TopicPartition(stored, partition, end - 1) for partition, end in ends.items()]
    admin = AdminClient(connection(kafka))
    for deleted in admin.delete_records(gone).values():
        deleted.result(timeout=20)
    await log.append(TRANSACTIONS, names[0], labelled(names[0]))
    ids = ArchivedIds(ArchiveFolder(str(tmp_path / "archive"), TRANSACTIONS))
    for far in (0, 1_000):
        ledger = Ledger(log, FolderFiles(tmp_path / "api"), ids, far=far)
        ledger.start()
        await ledger.caught_up()
        for name in names:
            known = await ledger.recalled(name)
            assert known is not None
            assert (await ledger.submission(name, known)).data.digest == "d"
            assert (await ledger.decision(name, known)).subject == name
        known = await ledger.recalled(names[0])
        assert known is not None
        assert ledger.label(labelled(names[0]).id, known) is not None
        assert await ledger.recalled("t-none") is None
        ledger.close()
