"""Inbox agent: each record becomes a submission or a dead letter before the position moves on."""

import gzip
import json
from functools import partial
from typing import Any

import pytest

from commands import Context, SubmitTransaction, submit_transaction
from commands.agents.inbox import InboxAgent
from commands.intake.payload import parse_payload
from domain.errors import LogUnavailableError, RetraceError
from eventlog.admission.sqlite_memory import SqliteMemory
from eventlog.batch import Batch
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import INBOX_TRANSACTIONS, TRANSACTIONS
from tests.builders.workers.pieces import FailingLog, batch
from tests.fakes.deciding import deciding_process


class Inbox:
    """An inbox agent over a real submission; `aside` holds (offset, error, value)."""

    def __init__(self, context: Context, positions: SqliteMemory, unwrap: bool = False) -> None:
        self.aside: list[tuple[int, RetraceError, bytes]] = []
        self.aside_is_away = False

        async def submit(value: bytes) -> None:
            payload, raw = parse_payload(value)
            await submit_transaction(
                SubmitTransaction(payload=payload, raw=raw, mode="submit"), context
            )

        async def set_aside(
            origin: str, partition: int, offset: int, error: RetraceError, value: bytes
        ) -> None:
            assert (origin, partition) == (INBOX_TRANSACTIONS.name, 2)
            if self.aside_is_away:
                raise LogUnavailableError("no broker answers")
            self.aside.append((offset, error, value))

        self.handler = InboxAgent(
            *(positions, submit, set_aside, context.ledger.followed),
            *(partial(context.log.partition_of, TRANSACTIONS), unwrap),
        )

    async def take(self, batches: list[Batch]) -> None:
        """Assigned partitions 2 and 3 anew, it handles the batches."""
        await self.handler.assign({2, 3})
        await self.handler.handle(batches)


def sent(transaction_id: str, **more: Any) -> bytes:
    known = {"transaction_id": transaction_id, "amount": 1, "timestamp": "2023-10-01T12:34:56Z"}
    return json.dumps(known | more).encode()


def fetched(*values: bytes | None, first: int = 0) -> Batch:
    return batch(values, first=first, partition=2, topic=INBOX_TRANSACTIONS)


async def test_records_are_submitted_and_refused_ones_set_aside(positions: SqliteMemory) -> None:
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions)
        await inbox.take([fetched(sent("a"), b"{", sent("b", amount=-1), None, sent("c"), first=5)])
        assert set(await context.ledger.undecided()) == {"a", "c"}
        assert [offset for offset, _, _ in inbox.aside] == [6, 7, 8]
        assert [value for _, _, value in inbox.aside] == [b"{", sent("b", amount=-1), b""]
        assert await inbox.handler.assign({2, 3}) == {2: 10, 3: 0}


async def test_a_record_read_twice_is_one_submission(positions: SqliteMemory) -> None:
    log = InMemoryEventLog()
    with deciding_process(log) as context:
        inbox = Inbox(context, positions)
        await inbox.take([fetched(sent("a"))])
        await inbox.take([fetched(sent("a"))])
        assert inbox.aside == []
    assert len(list(log.read(TRANSACTIONS))) == 1


async def test_of_two_each_takes_its_own_and_what_names_no_id_is_set_aside_once() -> None:
    log, sent_ids = InMemoryEventLog(), [f"t-{n}" for n in range(40)]
    values = [*map(sent, sent_ids), *(b"{" * (n + 1) for n in range(10))]
    with (
        deciding_process(log, partitions={0, 2, 5}) as ours,
        deciding_process(log, partitions={1, 3, 4, 6, 7}) as theirs,
    ):
        both = [Inbox(context, SqliteMemory(None)) for context in (ours, theirs)]
        for inbox in both:
            await inbox.take([fetched(*values)])
        assert len(list(log.read(TRANSACTIONS))) == len(sent_ids)
        aside = [value for inbox in both for _, _, value in inbox.aside]
        assert sorted(aside) == sorted(values[len(sent_ids) :])
        assert all(inbox.aside for inbox in both)


async def test_who_gains_a_partition_reads_the_inbox_again_for_it_alone(
    positions: SqliteMemory,
) -> None:
    log, values = InMemoryEventLog(), [sent(f"t-{n}") for n in range(40)]
    with deciding_process(log, partitions={0, 2}) as context:
        inbox = Inbox(context, positions)
        await inbox.take([fetched(*values)])
        before = len(await context.ledger.undecided())
        context.ledger.follow({0, 2, 5})
        await context.ledger.caught_up()
        assert await inbox.handler.assign({2, 3}) == {2: 0, 3: 0}
        # Those of before are not submitted again: they have other content this time.
        await inbox.take([fetched(*(v.replace(b"1,", b"2,", 1) for v in values))])
        assert inbox.aside == []
        assert len(await context.ledger.undecided()) > before
        assert await inbox.handler.assign({2}) == {2: 40}
        context.ledger.follow(())
        assert await inbox.handler.assign({2}) == {}


async def test_a_position_of_before_partitions_were_shared_holds_for_all(
    positions: SqliteMemory,
) -> None:
    positions.commit({2: 7})
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions)
        assert await inbox.handler.assign({2, 3}) == {2: 7, 3: 0}
        await inbox.take([fetched(sent("a"), sent("b"), first=6)])
        assert set(await context.ledger.undecided()) == {"b"}


async def test_the_same_id_with_other_content_is_set_aside(positions: SqliteMemory) -> None:
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions)
        await inbox.take([fetched(sent("a"))])
        await inbox.take([fetched(sent("a", amount=2), first=1)])
        assert [offset for offset, _, _ in inbox.aside] == [1]


async def test_without_the_log_nothing_is_passed_or_set_aside(positions: SqliteMemory) -> None:
    with deciding_process(FailingLog(failures=1)) as context:
        inbox = Inbox(context, positions)
        with pytest.raises(LogUnavailableError):
            await inbox.take([fetched(sent("a"), sent("b"))])
        assert await inbox.handler.assign({2}) == {2: 0}
        assert inbox.aside == []
        await inbox.take([fetched(sent("a"), sent("b"))])
        assert set(await context.ledger.undecided()) == {"a", "b"}
        assert await inbox.handler.assign({2}) == {2: 2}


async def test_a_record_is_not_passed_before_it_is_set_aside(positions: SqliteMemory) -> None:
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions)
        inbox.aside_is_away = True
        with pytest.raises(LogUnavailableError):
            await inbox.take([fetched(b"{")])
        assert await inbox.handler.assign({2}) == {2: 0}


async def test_a_batch_above_the_limit_at_once_is_taken_whole(positions: SqliteMemory) -> None:
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions)
        await inbox.take([fetched(*(sent(f"t-{i}") for i in range(450)))])
        assert len(await context.ledger.undecided()) == 450


PREFIX = b"\0\0\0\0\x07"


def changed(row: bytes, op: str = "c") -> bytes:
    return b'{"payload":{"before":null,"after":%s,"op":"%s"}}' % (row, op.encode())


async def test_o30_a_wrapped_record_is_set_aside_with_its_shape(positions: SqliteMemory) -> None:
    row = sent("a", amount="BAg=")
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions)
        await inbox.take(
            [fetched(None, PREFIX + sent("a"), changed(row), changed(row)[11:-1], sent("b"))]
        )
        assert set(await context.ledger.undecided()) == {"b"}
    told = "tombstone", "prefix (schema 7)", "envelope (op 'c')", "envelope (op 'c')"
    for part, (_, error, _) in zip(told, inbox.aside, strict=True):
        assert part in str(error)


async def test_o30_a_setting_unwraps_the_row_and_base64_is_no_amount(
    positions: SqliteMemory,
) -> None:
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions, unwrap=True)
        whole = PREFIX + sent("a"), changed(sent("b")), PREFIX + changed(sent("c"), "r"), sent("d")
        broken = changed(sent("e", amount="BAg=")), changed(b"null", "d"), None
        await inbox.take([fetched(*whole, *broken)])
        assert set(await context.ledger.undecided()) == {"a", "b", "c", "d"}
    for part, (_, error, _) in zip(("amount", "no row", "tombstone"), inbox.aside, strict=True):
        assert part in str(error)


CONNECT = b'{"schema":{"type":"struct","fields":[]},"payload":%s}'


async def test_o30_every_shape_is_named_by_what_it_is(positions: SqliteMemory) -> None:
    shapes = {
        b"": "is empty",
        PREFIX: "prefix (schema 7)",
        PREFIX + b"\x02\x06abc": "prefix (schema 7)",
        gzip.compress(sent("a")): "is gzip data",
        b"\x28\xb5\x2f\xfd": "is zstd data",
        CONNECT % sent("a"): "beside its schema (Kafka Connect)",
        b"[%s]" % sent("a"): "one JSON object",
    }
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions)
        await inbox.take([fetched(*shapes)])
        assert not await context.ledger.undecided()
        assert [value for _, _, value in inbox.aside] == list(shapes)
    for part, (_, error, _) in zip(shapes.values(), inbox.aside, strict=True):
        assert part in str(error)


async def test_o30_what_holds_no_row_of_json_is_told_where_rows_are_unwrapped(
    positions: SqliteMemory,
) -> None:
    shapes = {
        b"": "is empty",
        PREFIX: "prefix (schema 7) before what is not JSON",
        PREFIX + b"\x02\x06abc": "prefix (schema 7) before what is not JSON",
        gzip.compress(sent("a")): "is gzip data",
        CONNECT % b"null": "one JSON object",
    }
    plain = sent("x", schema={"type": "card"}, payload="1")
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions, unwrap=True)
        await inbox.take([fetched(*shapes, CONNECT % sent("c"), plain)])
        assert set(await context.ledger.undecided()) == {"c", "x"}
    for part, (_, error, _) in zip(shapes.values(), inbox.aside, strict=True):
        assert part in str(error)


MAXWELL = b'{"database":"shop","table":"payments","type":"%s","ts":1,"data":%s}'
GOLDEN_GATE = b'{"table":"SHOP.PAYMENTS","op_type":"%s","op_ts":"x","before":null,"after":%s}'
CLOUD_EVENT = b'{"specversion":"1.0","id":"1","source":"/shop","type":"paid","data":%s}'
GLUE = b"\x03\x00" + bytes(range(16))


async def test_o30_other_senders_wrappings_are_named_and_taken_off(positions: SqliteMemory) -> None:
    wrapped = {
        MAXWELL % (b"insert", sent("a")): "table's row (type 'insert')",
        GOLDEN_GATE % (b"U", sent("b")): "GoldenGate (op_type 'U')",
        CLOUD_EVENT % sent("c"): "CloudEvents envelope (type 'paid')",
        GLUE + sent("d"): "Glue schema-registry prefix (schema 000102",
    }
    gone = MAXWELL % (b"delete", sent("e")), GOLDEN_GATE % (b"D", sent("f")), CLOUD_EVENT % b"null"
    # Fields of these names beside an id are a transaction's own.
    plain = sent("g", op="c", database="x", table="y", type="z", op_type="D", specversion="1")
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, positions)
        await inbox.take([fetched(*wrapped, plain)])
        assert set(await context.ledger.undecided()) == {"g"}
        for part, (_, error, _) in zip(wrapped.values(), inbox.aside, strict=True):
            assert part in str(error)
    with deciding_process(InMemoryEventLog()) as context:
        inbox = Inbox(context, SqliteMemory(None), unwrap=True)
        await inbox.take([fetched(*wrapped, *gone, plain)])
        assert set(await context.ledger.undecided()) == {"a", "b", "c", "d", "g"}
        assert [value for _, _, value in inbox.aside] == list(gone)
        assert all("no row" in str(error) for _, error, _ in inbox.aside)
