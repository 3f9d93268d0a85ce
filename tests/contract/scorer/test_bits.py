"""A recorded vector has the same score bits as decided, replayed and backtested."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from commands import ScoreTransaction, score_transaction
from domain.events import Envelope, TransactionScored
from domain.features import CATALOGUE
from domain.features.payments import UNLABELLED, Payments
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from inference.artefacts.store import Artefact
from inference.serving.adapters.litert import LiteRtScorer
from operations.backtest.backtest import scored
from projections.replay.dataset import Dataset
from tests.fakes.deciding import deciding_process

NUMBER = 60


@pytest.fixture(scope="module")
async def decided(of_catalogue: Artefact) -> list[TransactionScored]:
    """Decisions as the log has them, taken one by one and at once."""
    log = InMemoryEventLog()
    with deciding_process(log, scorer=LiteRtScorer(of_catalogue)) as context:
        await asyncio.gather(
            *(score_transaction(ScoreTransaction(payload=payload(n), raw=None), context)
              for n in range(NUMBER))
        )  # fmt: skip
    envelopes: list[Envelope] = [decode(recorded.value) for recorded in log.read(TRANSACTIONS)]
    log.close()
    return [each.data for each in envelopes if isinstance(each.data, TransactionScored)]


def payload(n: int) -> dict[str, object]:
    return {
        "transaction_id": f"t-{n}",
        "amount": round(0.05 * 1.14**n + 0.01 * n, 2),  # over all that was learnt from
        "timestamp": f"2023-10-01T12:{n % 60:02}:56Z",
        "card_id": f"card-{n % 7}",
        "merchant_id": f"shop-{n % 5}",
    }


def test_every_decision_was_the_models(decided: list[TransactionScored]) -> None:
    assert [each.path for each in decided] == ["full"] * NUMBER
    assert len({each.score for each in decided}) > NUMBER / 2


def test_a_replayed_record_has_the_bits_of_the_decision(
    decided: list[TransactionScored], of_catalogue: Artefact
) -> None:
    again = LiteRtScorer(of_catalogue)

    def replayed(record: TransactionScored) -> tuple[str, list[str]]:
        values = again.inputs.of(CATALOGUE, record.features)
        made = again.score(record.transaction, values)
        return made.value.hex(), made.reasons

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(replayed, reversed(decided)))
    for (bits, reasons), record in zip(made, reversed(decided), strict=True):
        assert bits == record.score.hex()
        assert reasons == [code for code in record.reasons if code.startswith("model.")]
        assert record.fingerprint == again.fingerprint


def test_a_backtest_has_the_bits_of_the_decisions(
    decided: list[TransactionScored], of_catalogue: Artefact
) -> None:
    values = np.array([each.features for each in decided], dtype=np.float64)
    numbers, labels = np.arange(NUMBER), np.full(NUMBER, UNLABELLED)
    history = Dataset(
        CATALOGUE, numbers, np.array([each.transaction.transaction_id for each in decided]),
        numbers, numbers, labels, values,
        Payments(numbers, numbers, labels == 1, np.empty((NUMBER, 0), dtype=np.int8)),
    )  # fmt: skip
    scores = scored(LiteRtScorer(of_catalogue), history, lambda _done, _of: None)
    assert [score.hex() for score in scores.tolist()] == [each.score.hex() for each in decided]
