"""Payments by every road into the running product; what the inbox takes, and what it sets aside."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Producer

from domain.cleaning.fields import clean_id
from domain.events import Envelope, TransactionImported, TransactionSubmitted
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.codec import decode
from eventlog.dead_letters import dead_letters
from eventlog.settings import KafkaSettings
from eventlog.topics import INBOX_TRANSACTIONS, TRANSACTIONS
from tests.builders.roads import Payload, as_json, payloads, write_lines, write_parquet, write_table
from tests.e2e.stack import RunningStack, body, eventually, rows, score

COUNT = 300
SEED = 16
INBOX = INBOX_TRANSACTIONS.name
# The first of three that submit, and three kinds of files.
ROADS_THAT_WRITE = 4


@pytest.fixture
def log(stack: RunningStack) -> Iterator[KafkaEventLog]:
    log = KafkaEventLog(KafkaSettings(stack.status()["kafka"]))
    yield log
    log.close()


@pytest.fixture
def foreign(stack: RunningStack) -> Iterator[Producer]:
    """A producer that knows nothing of Retrace: other partitioner, no keys."""
    producer = Producer({"bootstrap.servers": stack.status()["kafka"]})
    yield producer
    producer.flush(10)


def test_an_inbox_record_is_cleaned_and_decided(stack: RunningStack, foreign: Producer) -> None:
    sent = body("inbox-1", currency=" eur ", card_id="4111 1111 1111 1111")
    for _ in range(3):
        foreign.produce("inbox.transactions", sent)
    foreign.flush(10)
    with stack.client() as client:
        eventually(lambda: client.get("/decisions/inbox-1").status_code == 200)
        found = client.get("/transactions/inbox-1", params={"raw": "true"}).json()
    assert found["transaction"]["currency"] == "EUR"
    assert found["transaction"]["card_last4"] == "1111"
    assert "4111" not in json.dumps(found).replace(found["transaction"]["card_bin"], "")
    asked = "SELECT count(*) FROM transactions WHERE transaction_id = 'inbox-1'"
    eventually(lambda: rows(stack, asked) == [(1,)])


def test_bad_inbox_records_are_dead_lettered_alone(stack: RunningStack, foreign: Producer) -> None:
    foreign.produce("inbox.transactions", b"\xff not json")
    foreign.produce("inbox.transactions", body("inbox-bad", amount="many"))
    foreign.produce("inbox.transactions", body("inbox-good"))
    foreign.flush(10)
    with stack.client() as client:
        eventually(lambda: client.get("/decisions/inbox-good").status_code == 200)

    def letters() -> str:
        return stack.retrace("dead-letters", "list", "--json").stdout

    eventually(lambda: "amount" in letters() and "UTF-8" in letters())


def test_by_every_road_it_is_the_same_transaction_with_the_same_digest(
    stack: RunningStack, log: KafkaEventLog, foreign: Producer, tmp_path: Path
) -> None:
    """Each payment has one id. The road by which it comes first submits it, and the others then
    tell whether it has the recorded digest; each file writes an event with a digest of its own.
    """
    sent = payloads(COUNT, SEED)
    first = by_score(stack, sent[::3]), by_batch(stack, sent[1::3])
    set_aside = by_inbox(log, foreign, sent)
    scored, batched = by_score(stack, sent), by_batch(stack, sent)
    assert (scored[::3], batched[1::3]) == first
    assert [{200: 202}.get(status, status) for status in scored] == batched
    taken = scored.count(200)
    # Other content under a known id would be a conflict, or a dead letter more.
    assert (scored.count(422), set_aside) == (COUNT - taken, COUNT - taken)
    assert COUNT / 2 < taken < COUNT
    for write in (write_lines, write_table, write_parquet):
        done = json.loads(stack.retrace("ingest", str(write(tmp_path, sent)), "--json").stdout)
        assert (done["rows"], done["accepted"]) == (COUNT, taken), write.__name__
    found = on_the_log(log, sent)
    assert len(found) == taken
    # A road that has not seen the one before it yet submits it again, in vain.
    assert {each: told for each, told in found.items() if len(told) < ROADS_THAT_WRITE} == {}
    different = {each: told for each, told in found.items() if len(set(told)) > 1}
    assert different == {}


def by_score(stack: RunningStack, sent: Sequence[Payload]) -> list[int]:
    with stack.client() as client:
        return [score(client, as_json(each).decode()).status_code for each in sent]


def by_batch(stack: RunningStack, sent: Sequence[Payload]) -> list[int]:
    with stack.client() as client:
        answer = client.post("/transactions/batch", content=b"\n".join(map(as_json, sent)))
    return [json.loads(line)["status"] for line in answer.text.splitlines()]


def by_inbox(log: KafkaEventLog, foreign: Producer, sent: Sequence[Payload]) -> int:
    """How many of them are dead letters, once all are dealt with."""
    before = len(list(dead_letters(log)))
    for number, each in enumerate(sent):
        foreign.produce(INBOX, as_json(each), partition=number % INBOX_TRANSACTIONS.partitions)
    # A mark may pass records of its own batch; the mark after it cannot.
    for rounds in (1, 2):
        marks = rounds * INBOX_TRANSACTIONS.partitions
        for partition in range(INBOX_TRANSACTIONS.partitions):
            foreign.produce(INBOX, b"{", partition=partition)
        foreign.flush(30)
        eventually(partial(is_marked, log, before, marks))
    return len(since(log, before)) - marks


def is_marked(log: KafkaEventLog, before: int, marks: int) -> bool:
    return sum("not valid JSON" in each.data.reason for each in since(log, before)) == marks


def since(log: KafkaEventLog, before: int) -> list[Envelope]:
    return list(dead_letters(log))[before:]


def on_the_log(log: KafkaEventLog, sent: Sequence[Payload]) -> Mapping[str, list[str]]:
    """By id: digest and all fields of each event that holds the payment."""
    found: dict[str, list[str]] = defaultdict(list)
    ids = {clean_id(each["transaction_id"]) for each in sent}
    for record in log.read(TRANSACTIONS):
        data = decode(record.value).data
        if isinstance(data, TransactionSubmitted | TransactionImported):
            transaction = data.transaction
            if transaction.transaction_id in ids:
                stored = json.loads(record.value)["data"]
                told = json.dumps([stored["digest"], stored["transaction"]], sort_keys=True)
                found[transaction.transaction_id].append(told)
    return found
