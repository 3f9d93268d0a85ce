"""`retrace events tail` without a server: the records it finds, and the text of a line."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from cli.events.lines import as_json, as_line
from domain.alerts import alert_of
from domain.errors import InvalidInputError
from domain.events import Envelope
from eventlog.codec import decode, encode
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position, Recorded
from eventlog.topics import ALERTS, DEAD_LETTERS, ENTITIES, INBOX_TRANSACTIONS, POLICY, TRANSACTIONS
from operations.log.search import Search, topic_called, types_called
from operations.log.show import show_events
from tests.fakes.events import NOW, imported, labelled, scored, submitted
from tests.fakes.strategies import envelopes

SCORED = frozenset({"fraud.transaction.scored"})


@pytest.fixture
def log() -> InMemoryEventLog:
    """100 transactions, each submitted and scored, a second apart, over all partitions."""
    log = InMemoryEventLog()
    for n in range(100):
        moment = NOW + n * 1_000_000
        log.append_nowait(TRANSACTIONS, f"t-{n}", submitted(f"t-{n}", known_time=moment))
        log.append_nowait(TRANSACTIONS, f"t-{n}", scored(f"t-{n}", known_time=moment + 1))
    return log


def shown(log: Any, search: Search, whole: bool = False, lines: int | None = None) -> list[str]:
    found: list[Recorded] = []
    show_events(log, search, found.append, whole, lines, follow=False)
    return [decode(record.value).id.removeprefix("fraud.transaction.") for record in found]


def test_the_newest_are_shown_oldest_first(log: InMemoryEventLog) -> None:
    assert shown(log, Search(TRANSACTIONS), lines=3) == ["scored/t-98", "submitted/t-99",
                                                         "scored/t-99"]  # fmt: skip


def test_twenty_are_shown_unless_told(log: InMemoryEventLog) -> None:
    assert len(shown(log, Search(TRANSACTIONS))) == 20


def test_rare_ones_are_looked_for_as_far_back_as_the_log_goes(log: InMemoryEventLog) -> None:
    assert shown(log, Search(TRANSACTIONS, SCORED), lines=90) == [
        f"scored/t-{n}" for n in range(10, 100)
    ]
    first = Search(TRANSACTIONS, subject="t-0")
    assert shown(log, first, lines=2) == ["submitted/t-0", "scored/t-0"]


def test_one_transaction_is_read_from_its_partition_alone(log: InMemoryEventLog) -> None:
    partition = log.partition_of(TRANSACTIONS, "t-7")
    read: list[int] = []

    class Watched(InMemoryEventLog):
        def read(self, topic: Any, start: Any = None, end: Any = None) -> Iterator[Recorded]:
            for record in log.read(topic, start, end):
                read.append(record.position.partition)
                yield record

        async def ends(self, topic: Any) -> Any:
            return await log.ends(topic)

    search = Search(TRANSACTIONS, subject="t-7", partition=partition)
    assert shown(Watched(), search) == ["submitted/t-7", "scored/t-7"]
    assert set(read) == {partition}


def test_all_since_a_time_are_shown_in_the_order_they_were_known(log: InMemoryEventLog) -> None:
    since = NOW + 97 * 1_000_000
    expected = [f"{what}/t-{n}" for n in (97, 98, 99) for what in ("submitted", "scored")]
    assert shown(log, Search(TRANSACTIONS, since=since), whole=True) == expected
    assert shown(log, Search(TRANSACTIONS, since=since), whole=True, lines=2) == expected[:2]


def test_following_goes_on_where_the_shown_ones_end(log: InMemoryEventLog) -> None:
    found: list[str] = []

    def show(record: Recorded) -> None:
        found.append(decode(record.value).subject)
        if len(found) == 2:
            log.append_nowait(TRANSACTIONS, "new", submitted("new"))
            log.append_nowait(TRANSACTIONS, "new", scored("new"))
        if len(found) == 3:
            raise KeyboardInterrupt

    search = Search(TRANSACTIONS, SCORED)
    with pytest.raises(KeyboardInterrupt):
        show_events(log, search, show, False, 2, follow=True)
    assert found == ["t-98", "t-99", "new"]


def test_records_that_are_no_events_are_shown_unless_a_type_is_asked_for() -> None:
    log = InMemoryEventLog()

    async def fill() -> None:
        await log.append_bytes(TRANSACTIONS, "x", b"garbage")

    asyncio.run(fill())
    found: list[Recorded] = []
    show_events(log, Search(TRANSACTIONS), found.append, False, None, follow=False)
    assert "unreadable" in as_line(found[0]).plain
    assert json.loads(as_json(found[0]))["undecodable"]
    found.clear()
    show_events(log, Search(TRANSACTIONS, SCORED), found.append, False, None, follow=False)
    assert found == []


@pytest.mark.parametrize(
    ("name", "types", "topic"),
    [
        (None, frozenset(), TRANSACTIONS),
        (None, frozenset({"fraud.alert.raised"}), ALERTS),
        (None, frozenset({"fraud.model.promoted"}), POLICY),
        ("policy", frozenset(), POLICY),
        ("dead-letters", frozenset(), DEAD_LETTERS),
        ("retrace.entities", frozenset(), ENTITIES),
        ("retrace.transactions.g1", frozenset(), TRANSACTIONS),
        ("inbox.transactions", frozenset(), INBOX_TRANSACTIONS),
    ],
)
def test_topics_have_several_names(name: str | None, types: frozenset[str], topic: object) -> None:
    assert topic_called(name, types) is topic


@pytest.mark.parametrize(
    "name",
    ["scored", "transaction.scored", "fraud.transaction.scored", "fraud.transaction.scored.v1"],
)
def test_types_are_found_by_their_last_words(name: str) -> None:
    assert types_called(name) == SCORED


def test_unknown_names_are_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidInputError, match=r"fraud\.transaction\.scored"):
        types_called("cored")
    with pytest.raises(InvalidInputError, match=r"retrace\.policy"):
        topic_called("nope", frozenset())


def recorded(envelope: Envelope) -> Recorded:
    return Recorded(Position(TRANSACTIONS.name, 3, 14), "k", encode(envelope))


@pytest.mark.parametrize(
    ("envelope", "line"),
    [
        (submitted(), "11-14 22:13:20 submitted     t-1                  12.50 EUR"),
        (imported(), "imported      t-1                  12.50 EUR of 2023-11-14"),
        (scored(), "scored        t-1                  approve 0.250 score_below_review"),
        (labelled(), "labelled      t-1                  fraud chargeback, bank"),
        (labelled(value=0), "genuine genuine, bank"),
    ],
)
def test_a_line_tells_when_what_and_what_matters_of_it(envelope: Envelope, line: str) -> None:
    assert line in as_line(recorded(envelope)).plain


@pytest.mark.parametrize("envelope", [submitted(), imported(), scored()])
def test_json_lines_have_amounts_in_major_units(envelope: Envelope) -> None:
    told = json.loads(as_json(recorded(envelope)))["data"]["transaction"]
    assert (told["amount"], told["amount_minor"]) == ("12.50", 1250)
    assert (told["currency"], told["base_amount_minor"]) == ("EUR", 1250)
    alert = alert_of(scored(outcome="review"), "tests", NOW)
    assert alert is not None
    assert json.loads(as_json(recorded(alert)))["data"]["amount"] == "12.50"


def test_the_record_of_another_producer_is_shown_as_it_is() -> None:
    sent = {"data": {"amount": 1250, "currency": "EUR"}, "amount": 5}
    record = Recorded(Position(INBOX_TRANSACTIONS.name, 0, 1), None, json.dumps(sent).encode())
    assert json.loads(as_json(record)).items() >= sent.items()


@given(envelopes())
@settings(max_examples=60)
def test_json_lines_hold_the_event_and_its_place(envelope: Envelope) -> None:
    line = as_json(recorded(envelope))
    assert "\n" not in line
    shown = json.loads(line)
    assert (shown["topic"], shown["partition"], shown["offset"]) == (TRANSACTIONS.name, 3, 14)
    assert shown["id"] == envelope.id
    assert shown["type"] == envelope.type
