"""Models in the decision flow: challengers, model servers, and what a failure of either leaves."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from commands.policy.active import ActivePolicy
from domain.errors import IntegrityError, UnavailableError
from domain.events import ModelRolledOut, Thresholds
from domain.features import CATALOGUE, Inputs
from domain.policy.rollout import WHOLE
from domain.policy.score import Score
from domain.policy.snapshot import NO_POLICY
from domain.transactions import Transaction
from eventlog.in_memory import InMemoryEventLog
from tests.fakes.deciding import CARD_COUNT, FixedScorer, deciding_process, feature, score

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


class ServerScorer(FixedScorer):
    """A model that waits for a server, which does as it is told."""

    def __init__(self, answer: Callable[[], float]) -> None:
        super().__init__(0.0, blocking=True)
        object.__setattr__(self, "answer", answer)

    def score(self, transaction: Transaction, values: Sequence[float | None]) -> Score:
        return Score(self.answer(), [])  # type: ignore[attr-defined]


def away() -> float:
    raise UnavailableError("tf-serving", "is away")


OTHER_INPUTS = Inputs("challenger", "another set", ["x"], ["of another meaning"])


@pytest.mark.parametrize(
    "challenger",
    [FixedScorer(0.4, "challenger", "c" * 64, OTHER_INPUTS), ServerScorer(away)],
    ids=["takes other features", "cannot score"],
)
async def test_what_a_challenger_cannot_score_is_scored_by_the_champion(
    log: InMemoryEventLog, challenger: FixedScorer
) -> None:
    with deciding_process(log) as context:
        policy = rolling_out(challenger)
        scored = await score(replace(context, policy=lambda: policy))
        assert (scored.data.model_id, scored.data.path) == ("champion", "full")
        assert scored.data.thresholds == NO_POLICY.thresholds


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


async def test_a_hanging_server_costs_the_deadline_and_no_features(log: InMemoryEventLog) -> None:
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
