"""Import of simulated history: its order, its ids, and continuing after an interruption."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest

from commands.intake.cleaner import PayloadCleaner
from commands.intake.tokens import Tokeniser
from domain.errors import LogUnavailableError
from domain.events import Envelope, TransactionImported, TransactionLabelled
from domain.money import approximate_rates
from domain.times import from_rfc3339
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS, Topic
from local.demo import history
from local.demo.plan import DemoRequest, HistoryPlan, plan_history

NOW = from_rfc3339("2026-06-15T09:30:00Z")


@pytest.fixture
def plan() -> HistoryPlan:
    planned = plan_history(NOW, DemoRequest(days=16))
    return replace(planned, per_day=60.0, customers=40, merchants=20, confirmed_rate=0.2)


@pytest.fixture
def cleaner() -> PayloadCleaner:
    return PayloadCleaner(Tokeniser(b"k" * 32), b"d" * 32, approximate_rates(), "EUR")


def stored(log: InMemoryEventLog) -> list[Envelope]:
    return [decode(recorded.value) for recorded in log.read(TRANSACTIONS)]


def import_history(
    log: InMemoryEventLog, plan: HistoryPlan, cleaner: PayloadCleaner
) -> history.ImportedHistory:
    present = history.imported_ids(log, plan.id_prefix)
    return history.import_history(plan, log, cleaner, NOW, present, lambda _: None)


class Breaking(InMemoryEventLog):
    """Takes so many records and then none."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left = most

    def append_nowait(self, topic: Topic, key: str | None, envelope: Envelope) -> None:
        if not self.left:
            raise LogUnavailableError("gone")
        self.left -= 1
        super().append_nowait(topic, key, envelope)


def test_facts_come_in_order_of_known_time(plan: HistoryPlan, cleaner: PayloadCleaner) -> None:
    known = [fact.known_time for fact in history.facts(plan, cleaner, NOW)]
    assert known == sorted(known)
    assert known[-1] < plan.end_us


def test_labels_follow_their_transaction_and_are_part_of_the_import(
    plan: HistoryPlan, cleaner: PayloadCleaner
) -> None:
    seen: set[str] = set()
    labels = 0
    for fact in history.facts(plan, cleaner, NOW):
        assert fact.imported
        if isinstance(fact.data, TransactionImported):
            seen.add(fact.subject)
        else:
            assert isinstance(fact.data, TransactionLabelled)
            assert fact.subject in seen
            labels += 1
    assert labels > 20


def test_transactions_are_counted_beforehand(plan: HistoryPlan, cleaner: PayloadCleaner) -> None:
    log = InMemoryEventLog()
    done = import_history(log, plan, cleaner)
    assert done.transactions == done.added == history.expected_transactions(plan)
    assert len(history.imported_ids(log, plan.id_prefix)) == done.transactions


def test_importing_again_adds_no_transaction(plan: HistoryPlan, cleaner: PayloadCleaner) -> None:
    log = InMemoryEventLog()
    import_history(log, plan, cleaner)
    again = import_history(log, plan, cleaner)
    assert again.added == 0
    imported = Counter(e.id for e in stored(log) if isinstance(e.data, TransactionImported))
    assert set(imported.values()) == {1}


def test_an_interrupted_import_continues_and_the_log_becomes_the_same(
    plan: HistoryPlan, cleaner: PayloadCleaner
) -> None:
    whole, broken = InMemoryEventLog(), Breaking(most=400)
    import_history(whole, plan, cleaner)
    with pytest.raises(LogUnavailableError):
        import_history(broken, plan, cleaner)
    broken.left = 1 << 30
    rest = import_history(broken, plan, cleaner)
    assert 0 < rest.added < rest.transactions
    first_of = {each.id: each for each in reversed(stored(broken))}
    assert first_of == {each.id: each for each in stored(whole)}


def test_transactions_of_others_are_no_history(plan: HistoryPlan, cleaner: PayloadCleaner) -> None:
    log = InMemoryEventLog()
    for fact in islice(history.facts(plan, cleaner, NOW), 5):
        log.append_nowait(TRANSACTIONS, fact.subject, fact)
    assert history.imported_ids(log, "other-") == set()
    assert len(history.imported_ids(log, plan.id_prefix)) == 5
