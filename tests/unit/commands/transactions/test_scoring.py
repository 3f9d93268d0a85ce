"""Decisions over the in-memory log: one per id, whoever asks and however often."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commands import (
    Context,
    DecideTransaction,
    ScoreTransaction,
    SubmitTransaction,
    decide_transaction,
    score_transaction,
    submit_transaction,
)
from commands.policy.active import ActivePolicy
from commands.ports import RecentTail, ServedFeatures
from domain.errors import (
    ConflictError,
    IntegrityError,
    InvalidTransactionError,
    UnavailableError,
)
from domain.events import Envelope, ModelRolledOut, Thresholds, TransactionScored
from domain.features import CATALOGUE, Inputs, finish
from domain.policy import NO_POLICY, WHOLE, Score
from domain.transactions import Transaction
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from tests.fakes.deciding import FixedScorer, deciding_process

CARD_COUNT = next(name for name in CATALOGUE.names if name.startswith("card_count_1h"))


@pytest.fixture
def log() -> Iterator[InMemoryEventLog]:
    log = InMemoryEventLog()
    yield log
    log.close()


def payload(transaction_id: str = "12345", **more: Any) -> dict[str, Any]:
    return {
        "transaction_id": transaction_id,
        "amount": 100,
        "timestamp": "2023-10-01T12:34:56Z",
        **more,
    }


def score(context: Context, **more: Any) -> Any:
    return score_transaction(ScoreTransaction(payload=payload(**more), raw=None), context)


def scored_in(log: InMemoryEventLog, transaction_id: str) -> list[Envelope]:
    envelopes = [decode(recorded.value) for recorded in log.read(TRANSACTIONS)]
    return [
        e
        for e in envelopes
        if isinstance(e.data, TransactionScored) and e.subject == transaction_id
    ]


def feature(scored: Envelope, name: str) -> float | None:
    value: float | None = scored.data.features[CATALOGUE.names.index(name)]
    return value


async def test_the_minimal_payload_is_decided(log: InMemoryEventLog) -> None:
    with deciding_process(log) as context:
        scored = await score(context)
        assert scored.data.score == 0.1
        assert scored.data.outcome == "approve"
        assert scored.data.path == "full"


async def test_a_retry_gets_the_recorded_decision_though_the_model_has_changed(
    log: InMemoryEventLog,
) -> None:
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


async def test_concurrent_calls_with_different_content_agree_on_who_was_first(
    log: InMemoryEventLog,
) -> None:
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
        assert set(context.ledger.undecided()) == {"12345"}
        decide = DecideTransaction("12345")
        first = await decide_transaction(decide, context)
        assert await decide_transaction(decide, context) == first
        assert context.ledger.undecided() == {}
        assert await score(context) == first
    assert len(scored_in(log, "12345")) == 1


async def test_every_wrong_field_is_named_and_nothing_is_appended(log: InMemoryEventLog) -> None:
    with (
        deciding_process(log) as context,
        pytest.raises(InvalidTransactionError) as caught,
    ):
        await score(context, amount="-1", currency="XXXX", lat=91)
    named = {error.field for error in caught.value.errors}
    assert {"amount", "currency", "lat"} <= named
    assert list(log.read(TRANSACTIONS)) == []


class HangingReader:
    """A feature store that does not answer until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def read(self, transaction: Transaction, tail: RecentTail) -> ServedFeatures:
        self.released.wait(30)
        raise AssertionError("nobody waits for this")


class AbsentReader:
    """A feature store that is away."""

    def read(self, transaction: Transaction, tail: RecentTail) -> ServedFeatures:
        values = finish({}, transaction)
        return ServedFeatures(CATALOGUE, values, {}, ["features_unavailable"])


async def test_past_the_deadline_the_rules_decide_and_say_so(log: InMemoryEventLog) -> None:
    reader = HangingReader()
    with deciding_process(log, features=reader, deadline=0.05) as context:
        scored = await score(context)
        reader.released.set()
        assert scored.data.path == "deadline"
        assert scored.data.model_id == "rules-only"
        assert "path.deadline" in scored.data.reasons


async def test_a_missing_store_gives_defaults_and_a_flag(log: InMemoryEventLog) -> None:
    with deciding_process(log, features=AbsentReader()) as context:
        scored = await score(context)
        assert scored.data.path == "fallback"
        assert scored.data.flags == ["features_unavailable"]


class BrokenReader:
    def read(self, transaction: Transaction, tail: RecentTail) -> ServedFeatures:
        raise ValueError("a state that nobody thought of")


async def test_features_that_cannot_be_read_at_all_do_not_stop_a_decision(
    log: InMemoryEventLog,
) -> None:
    with deciding_process(log, features=BrokenReader()) as context:
        scored = await score(context)
    assert scored.data.path == "fallback"
    assert scored.data.flags == ["features_unavailable"]


CHALLENGER = ModelRolledOut(
    model_id="challenger",
    model_hash="c" * 64,
    feature_set=CATALOGUE.hash,
    share=WHOLE,
    thresholds=Thresholds(review=0.2, step_up=0.3, decline=0.5),
)


def rolling_out(scorer: FixedScorer) -> ActivePolicy:
    snapshot = NO_POLICY.apply(CHALLENGER, 7)
    return ActivePolicy(snapshot, FixedScorer(0.25, "champion"), scorer)


async def test_a_rolled_out_challenger_decides_by_its_own_thresholds(log: InMemoryEventLog) -> None:
    with deciding_process(log) as context:
        policy = rolling_out(FixedScorer(0.4, "challenger", "c" * 64))
        scored = await score(replace(context, policy=lambda: policy))
        assert (scored.data.model_id, scored.data.model_hash) == ("challenger", "c" * 64)
        assert (scored.data.outcome, scored.data.policy_version) == ("step_up", 7)
        assert scored.data.thresholds == CHALLENGER.thresholds


async def test_a_challenger_that_cannot_take_the_features_leaves_them_to_the_champion(
    log: InMemoryEventLog,
) -> None:
    others = Inputs("challenger", "another set", ["x"], ["of another meaning"])
    with deciding_process(log) as context:
        policy = rolling_out(FixedScorer(0.4, "challenger", "c" * 64, others))
        scored = await score(replace(context, policy=lambda: policy))
        assert (scored.data.model_id, scored.data.path) == ("champion", "full")
        assert scored.data.thresholds == NO_POLICY.thresholds


async def test_what_a_challenger_cannot_score_is_scored_by_the_model_in_force(
    log: InMemoryEventLog,
) -> None:
    def answer() -> float:
        raise UnavailableError("tf-serving", "is away")

    with deciding_process(log) as context:
        policy = rolling_out(ServerScorer(answer))
        scored = await score(replace(context, policy=lambda: policy))
        assert (scored.data.model_id, scored.data.path) == ("champion", "full")
        assert scored.data.thresholds == NO_POLICY.thresholds


class ServerScorer(FixedScorer):
    """A model that waits for a server, which does as it is told."""

    def __init__(self, answer: Callable[[], float]) -> None:
        super().__init__(0.0, blocking=True)
        object.__setattr__(self, "answer", answer)

    def score(self, transaction: Transaction, values: Sequence[float | None]) -> Score:
        return Score(self.answer(), [])  # type: ignore[attr-defined]


async def test_a_model_server_scores_outside_the_loop(log: InMemoryEventLog) -> None:
    threads: list[str] = []

    def answer() -> float:
        threads.append(threading.current_thread().name)
        return 0.25

    with deciding_process(log, scorer=ServerScorer(answer)) as context:
        scored = await score(context)
    assert (scored.data.path, scored.data.score) == ("full", 0.25)
    assert scored.data.model_id == "fixed"
    assert threading.main_thread().name not in threads


async def test_a_model_server_that_hangs_costs_the_deadline_and_keeps_the_features(
    log: InMemoryEventLog,
) -> None:
    released = threading.Event()

    def answer() -> float:
        released.wait(30)
        return 0.9

    with deciding_process(log, scorer=ServerScorer(answer), deadline=0.2) as context:
        await context.ledger.barrier()
        began = time.monotonic()
        scored = await score(context, card_id="card-1")
        took = time.monotonic() - began
        released.set()
    assert took < 2
    assert (scored.data.path, scored.data.model_id) == ("deadline", "rules-only")
    assert "model_late" in scored.data.flags
    assert {"path.deadline", "flag.model_late"} <= set(scored.data.reasons)
    assert feature(scored, CARD_COUNT) == 0


@pytest.mark.parametrize(
    ("error", "flag"),
    [
        (UnavailableError("tf-serving", "is away"), "model_unavailable"),
        (IntegrityError("answers nonsense"), "model_failed"),
        (ValueError("nobody thought of this"), "model_failed"),
    ],
)
@pytest.mark.parametrize("blocking", [True, False])
async def test_a_model_that_cannot_score_loses_no_decision(
    log: InMemoryEventLog, error: Exception, flag: str, blocking: bool
) -> None:
    def answer() -> float:
        raise error

    scorer = ServerScorer(answer)
    object.__setattr__(scorer, "blocking", blocking)
    with deciding_process(log, scorer=scorer) as context:
        scored = await score(context)
    assert (scored.data.path, scored.data.model_id) == ("fallback", "rules-only")
    assert scored.data.flags == [flag]
    assert scored.data.fingerprint == ""
