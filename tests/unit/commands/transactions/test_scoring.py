"""Decisions over the in-memory log: one per id, whoever asks and however often."""

import asyncio
from pathlib import Path

import pytest

from commands import DecideTransaction, SubmitTransaction, decide_transaction, submit_transaction
from commands.ports import ServedFeatures
from domain.errors import ConflictError, InvalidTransactionError
from domain.events import Envelope, TransactionScored
from domain.features import CATALOGUE, finish
from domain.transactions import Transaction
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from tests.fakes.deciding import CARD_COUNT, deciding_process, feature, payload, score


def scored_in(log: InMemoryEventLog, transaction_id: str) -> list[Envelope]:
    envelopes = [decode(recorded.value) for recorded in log.read(TRANSACTIONS)]
    return [
        e
        for e in envelopes
        if isinstance(e.data, TransactionScored) and e.subject == transaction_id
    ]


async def test_the_minimal_payload_is_decided(log: InMemoryEventLog) -> None:
    with deciding_process(log) as context:
        scored = await score(context)
        assert scored.data.score == 0.1
        assert scored.data.outcome == "approve"
        assert scored.data.path == "full"


async def test_a_retry_gets_the_recorded_decision_of_an_older_model(log: InMemoryEventLog) -> None:
    with deciding_process(log, value=0.1) as context:
        first = await score(context)
    with deciding_process(log, value=0.9) as later:
        await later.ledger.barrier()
        assert await score(later) == first
    assert len(scored_in(log, "12345")) == 1


async def test_other_content_under_a_known_id_is_a_conflict(log: InMemoryEventLog) -> None:
    with deciding_process(log) as context:
        await score(context)
        with pytest.raises(ConflictError):
            await score(context, amount=101)
        with pytest.raises(ConflictError):
            await score(context, note="an unknown field is content, too")


async def test_concurrent_calls_in_two_processes_get_one_decision(log: InMemoryEventLog) -> None:
    with deciding_process(log, value=0.1) as one, deciding_process(log, value=0.9) as two:
        answers = await asyncio.gather(*(score(c) for _ in range(10) for c in (one, two)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0] in scored_in(log, "12345")


async def test_concurrent_calls_of_other_content_agree_on_the_first(log: InMemoryEventLog) -> None:
    with deciding_process(log) as one, deciding_process(log) as two:
        answers = await asyncio.gather(
            *(score(one, amount=100) for _ in range(3)),
            *(score(two, amount=200) for _ in range(3)),
            return_exceptions=True,
        )
    decided = {a.data.transaction.amount for a in answers if isinstance(a, Envelope)}
    assert len(decided) == 1
    assert sum(isinstance(a, ConflictError) for a in answers) == 3


async def test_a_burst_over_two_processes_is_seen(log: InMemoryEventLog) -> None:
    with deciding_process(log) as one, deciding_process(log) as two:
        for number in range(6):
            context = (one, two)[number % 2]
            scored = await score(context, transaction_id=f"burst-{number}", card_id="card-1")
            assert feature(scored, CARD_COUNT) == number


async def test_a_decision_survives_the_loss_of_the_memory_and_of_the_process(
    log: InMemoryEventLog, tmp_path: Path
) -> None:
    memory = tmp_path / "api.sqlite"
    with deciding_process(log, memory=memory) as context:
        first = await score(context)
    for path in (memory, None):
        with deciding_process(log, value=0.9, memory=path) as context:
            await context.ledger.barrier()
            assert await score(context) == first


async def test_a_submission_is_decided_once_by_the_agent(log: InMemoryEventLog) -> None:
    command = SubmitTransaction(payload=payload(), raw="{}", mode="submit")
    with deciding_process(log) as context:
        assert not (await submit_transaction(command, context)).recorded
        assert (await submit_transaction(command, context)).recorded
        assert set(await context.ledger.undecided()) == {"12345"}
        decide = DecideTransaction("12345")
        first = await decide_transaction(decide, context)
        assert await decide_transaction(decide, context) == first
        assert await context.ledger.undecided() == {}
        assert await score(context) == first
    assert len(scored_in(log, "12345")) == 1


async def test_every_wrong_field_is_named_and_nothing_is_appended(log: InMemoryEventLog) -> None:
    with deciding_process(log) as context, pytest.raises(InvalidTransactionError) as caught:
        await score(context, amount="-1", currency="XXXX", lat=91)
    named = {error.field for error in caught.value.errors}
    assert {"amount", "currency", "lat"} <= named
    assert list(log.read(TRANSACTIONS)) == []


class Unheard:
    async def answered(self, partition: int, offset: int, decision: Envelope) -> None:
        """Nobody is told."""

    async def keep_vouching(self) -> None:
        """Nobody listens."""


class HangingReader(Unheard):
    """A feature store that never answers."""

    async def read(self, transaction: Transaction) -> ServedFeatures:
        await asyncio.Event().wait()
        raise AssertionError("nobody waits for this")


class AbsentReader(Unheard):
    """A feature store that is away."""

    async def read(self, transaction: Transaction) -> ServedFeatures:
        values = finish({}, transaction)
        return ServedFeatures(CATALOGUE, values, {}, ["features_unavailable"])


async def test_past_the_deadline_the_rules_decide_and_say_so(log: InMemoryEventLog) -> None:
    reader = HangingReader()
    with deciding_process(log, features=reader, deadline=0.05) as context:
        scored = await score(context)
        assert scored.data.path == "deadline"
        assert scored.data.model_id == "rules-only"
        assert "path.deadline" in scored.data.reasons


class BrokenReader(Unheard):
    async def read(self, transaction: Transaction) -> ServedFeatures:
        raise ValueError("a state that nobody thought of")


@pytest.mark.parametrize("reader", [AbsentReader(), BrokenReader()])
async def test_a_store_that_is_away_or_broken_gives_defaults_and_a_flag(
    log: InMemoryEventLog, reader: AbsentReader | BrokenReader
) -> None:
    with deciding_process(log, features=reader) as context:
        scored = await score(context)
    assert scored.data.path == "fallback"
    assert scored.data.flags == ["features_unavailable"]


async def test_o31_a_placeholder_device_has_no_history_and_a_reason(log: InMemoryEventLog) -> None:
    device = "00000000-0000-0000-0000-000000000000"
    with deciding_process(log) as context:
        for number in range(3):
            scored = await score(
                context, transaction_id=f"t{number}", device_id=device, lat=0, lon=0
            )
    assert scored.data.transaction.device_id is None
    assert {"placeholder_device", "no_position"} <= set(scored.data.flags)
    assert {"flag.placeholder_device", "flag.no_position"} <= set(scored.data.reasons)
