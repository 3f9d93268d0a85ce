"""Transactions submitted by any Kafka producer, and the dead letters of those refused."""

import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from tests.e2e.stack import RunningStack, body, eventually, rows


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
