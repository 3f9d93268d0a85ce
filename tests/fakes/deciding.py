"""Deciding processes without servers: one in-memory log, any number of contexts on it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import Context, ScoreTransaction, score_transaction
from commands.intake.cleaner import PayloadCleaner
from commands.intake.tokens import Tokeniser
from commands.policy.active import ActivePolicy
from commands.ports import FeatureReader, Scorer, ServedFeatures
from domain.events import Envelope
from domain.features import CATALOGUE, EntityState, Inputs, entity_keys, feature_event, finish
from domain.features.engine import warm_up
from domain.money import approximate_rates
from domain.policy.score import Score
from domain.policy.snapshot import NO_POLICY
from domain.times import from_rfc3339
from domain.transactions import Transaction
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.codec import decode
from eventlog.index.files import FolderFiles
from eventlog.ledger.ledger import ALL, Ledger
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS

NOW = from_rfc3339("2023-10-01T13:00:00Z")


class LogFeatureReader:
    """Features from the log itself, as if no state had been stored yet."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def answered(self, partition: int, offset: int, decision: Envelope) -> None:
        """Whoever reads asks the log."""

    async def keep_vouching(self) -> None:
        """There is nobody who could miss anything."""

    async def read(self, transaction: Transaction) -> ServedFeatures:
        states = {
            entity: EntityState(entity, key) for entity, key in entity_keys(transaction).items()
        }
        admission = Admission(DictMemory())
        for recorded in self._log.read(TRANSACTIONS):
            place, envelope = recorded.position, decode(recorded.value)
            event = feature_event(envelope)
            if admission.admit(envelope, place.partition, place.offset) and event is not None:
                for entity, key in entity_keys(event).items():
                    if entity in states and states[entity].key == key:
                        states[entity].fold(place.partition, place.offset, event)
        return ServedFeatures(CATALOGUE, finish(states, transaction), {})


@dataclass(frozen=True)
class FixedScorer:
    """Scores everything alike."""

    value: float
    model_id: str = "fixed"
    model_hash: str = "0" * 64
    inputs: Inputs = Inputs("fixed", CATALOGUE.hash, CATALOGUE.names, ())  # noqa: RUF009
    fingerprint: str = "fixed"
    blocking: bool = False

    def score(self, transaction: Transaction, values: Sequence[float | None]) -> Score:
        return Score(self.value, [])


@contextmanager
def deciding_process(
    log: EventLog,
    *,
    value: float = 0.1,
    features: FeatureReader | None = None,
    clock: Callable[[], int] = lambda: NOW,
    memory: Path | None = None,
    deadline: float = 5.0,
    scorer: Scorer | None = None,
    policy: ActivePolicy | None = None,
    partitions: Collection[int] = ALL,
) -> Iterator[Context]:
    """One process: its own ledger and its own scorer, so that processes can disagree."""
    # As a process does: no deadline is meant to hold a compiler.
    warm_up(CATALOGUE)
    files = None if memory is None else FolderFiles(memory)
    ledger = Ledger(log, files, partitions=partitions)
    ledger.start()
    try:
        with ThreadPoolExecutor(2) as pool:
            yield Context(
                source="retrace/test",
                clock=clock,
                log=log,
                ledger=ledger,
                cleaner=PayloadCleaner(Tokeniser(b"t" * 32), b"d" * 32, approximate_rates(), "USD"),
                features=features or LogFeatureReader(log),
                policy=lambda: policy or ActivePolicy(NO_POLICY, scorer or FixedScorer(value)),
                pool=pool,
                deadline=deadline,
            )
    finally:
        ledger.close()


CARD_COUNT = next(name for name in CATALOGUE.names if name.startswith("card_count_1h"))


def payload(transaction_id: str = "12345", **more: Any) -> dict[str, Any]:
    return {
        "transaction_id": transaction_id,
        "amount": 100,
        "timestamp": "2023-10-01T12:34:56Z",
        **more,
    }


def score(context: Context, **more: Any) -> Any:
    return score_transaction(ScoreTransaction(payload=payload(**more), raw=None), context)


def feature(scored: Envelope, name: str) -> float | None:
    value: float | None = scored.data.features[CATALOGUE.names.index(name)]
    return value
