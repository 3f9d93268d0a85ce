"""The inbox on a real broker: records of every codec and of transactions are taken once each."""

import json
from collections import Counter
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from domain.events import TransactionSubmitted
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.codec import decode
from eventlog.settings import KafkaSettings, topic_name
from eventlog.topics import INBOX_TRANSACTIONS, TRANSACTIONS
from tests.builders.workers.history import until
from tests.builders.workers.process import WorkerProcess

EACH = 200
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def send(producer: Producer, kafka: KafkaSettings, name: str, count: int = EACH) -> set[str]:
    """`count` submissions over all partitions; their ids."""
    ids = {f"{name}-{n}" for n in range(count)}
    inbox = topic_name(kafka.topic_prefix, INBOX_TRANSACTIONS)
    for number, each in enumerate(sorted(ids)):
        sent = {"transaction_id": each, "amount": "12.50", "timestamp": "2026-01-05T10:00:00Z"}
        partition = number % INBOX_TRANSACTIONS.partitions
        producer.produce(inbox, json.dumps(sent).encode(), partition=partition)
    assert producer.flush(30) == 0
    return ids


def producer(kafka: KafkaSettings, **settings: str | int) -> Producer:
    return Producer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "linger.ms": 50,
            **{name.replace("_", "."): value for name, value in settings.items()},
        }
    )


def taken(log: KafkaEventLog) -> Counter[str]:
    events = (decode(record.value) for record in log.read(TRANSACTIONS))
    return Counter(e.subject for e in events if isinstance(e.data, TransactionSubmitted))


@pytest.fixture
def worker(start: Callable[[str], WorkerProcess], applied: object) -> WorkerProcess:
    assert applied
    return start("decisions")


def test_records_of_every_codec_are_taken_once(
    worker: WorkerProcess, kafka: KafkaSettings, log: KafkaEventLog
) -> None:
    sent: set[str] = set()
    for codec in CODECS:
        sent |= send(producer(kafka, compression_type=codec), kafka, codec)
    until(lambda: taken(log).keys() >= sent, what="submissions of every codec")
    assert taken(log) == Counter(sent)
    assert worker.stop() == 0


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_of_transactions_the_committed_records_alone_are_taken(
    worker: WorkerProcess, kafka: KafkaSettings, log: KafkaEventLog, codec: str
) -> None:
    foreign = producer(kafka, transactional_id=f"{kafka.topic_prefix}x", compression_type=codec)
    foreign.init_transactions(30)
    sent: set[str] = set()
    for number in range(3):
        foreign.begin_transaction()
        sent |= send(foreign, kafka, f"committed-{number}")
        foreign.commit_transaction(30)
        foreign.begin_transaction()
        send(foreign, kafka, f"aborted-{number}")
        foreign.abort_transaction(30)
    # One that stays open holds back what comes after it, and nothing of it is read.
    foreign.begin_transaction()
    send(foreign, kafka, "open")
    until(lambda: taken(log).keys() >= sent, what="submissions of committed transactions")
    worker.kill()
    worker.start()
    after = send(producer(kafka), kafka, "after")
    foreign.abort_transaction(30)
    until(lambda: taken(log).keys() >= after, what="submissions after the open transaction")
    assert taken(log) == Counter(sent | after)
