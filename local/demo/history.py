"""Owns laying down simulated history: its facts in the order in which they were known.

Ids follow from the plan, so what is in the log already is left out, and a fact appended twice is
void. Laying down is gone on with, never begun anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from commands.imports.facts import Facts
from commands.intake.cleaner import PayloadCleaner
from commands.labels.label import label_envelope, parse_label
from domain.events import IMPORT_SOURCE, Envelope, TransactionImported
from domain.transactions import Transaction
from eventlog.codec import glance
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from local.demo.plan import HistoryPlan
from simulator import Simulation, label_to_submission, to_submission
from simulator.due_labels import DueLabels
from simulator.records import SimulatedLabel

ORIGIN = "demo"
_SOURCE = IMPORT_SOURCE + ORIGIN
_TELL_EVERY = 500
_FLUSH_SECONDS = 120.0

Progress = Callable[[int], None]
"""Told how many transactions are in."""


@dataclass(frozen=True, slots=True)
class LaidDown:
    transactions: int
    added: int
    labels: int


def present(log: EventLog, prefix: str) -> set[str]:
    """Ids of the imported transactions in the log that begin so. Reads the whole topic."""
    found = set()
    for recorded in log.read(TRANSACTIONS):
        if recorded.key is not None and recorded.key.startswith(prefix):
            seen = glance(recorded.value)
            if seen.name == TransactionImported.NAME:
                found.add(seen.subject)
    return found


def lay_down(
    plan: HistoryPlan,
    log: EventLog,
    cleaner: PayloadCleaner,
    now: int,
    there: set[str],
    progress: Progress,
) -> LaidDown:
    """Durable when it returns. `there` are the ids in the log; labels are appended all the same.

    Raises LogUnavailableError; doing it again then is harmless.
    """
    transactions = added = labels = 0
    for fact in facts(plan, cleaner, now):
        if isinstance(fact.data, TransactionImported):
            transactions += 1
            if transactions % _TELL_EVERY == 0:
                progress(transactions)
            if fact.subject in there:
                continue
            added += 1
        else:
            labels += 1
        log.append_nowait(TRANSACTIONS, fact.subject, fact)
    log.flush(_FLUSH_SECONDS)
    progress(transactions)
    return LaidDown(transactions, added, labels)


def facts(plan: HistoryPlan, cleaner: PayloadCleaner, now: int) -> Iterator[Envelope]:
    """Imported transactions, and the labels known before the history's end, in known order."""
    simulation = Simulation(plan.history())
    maker = Facts(source=_SOURCE, origin=ORIGIN, correlation_id=plan.id_prefix, score=False)
    due, labelled = DueLabels(), dict[str, Transaction]()

    def said(label: SimulatedLabel) -> Envelope:
        command = parse_label(label_to_submission(label))
        about = labelled[label.transaction_id]
        return label_envelope(command, about, _SOURCE, label.known_at, plan.id_prefix)

    line = 0
    for day in simulation.days(plan.days):
        known = [label for label in day.labels() if label.known_at < plan.end_us]
        due.add(known)
        wanted = {label.transaction_id for label in known}
        for simulated in day.transactions():
            yield from map(said, due.before(simulated.timestamp))
            line += 1
            transaction = cleaner.clean(to_submission(simulated), now)
            if transaction.transaction_id in wanted:
                labelled[transaction.transaction_id] = transaction
            yield maker.of_transaction(transaction, cleaner.digest(transaction), line)
    yield from map(said, due.rest())


def expected(plan: HistoryPlan) -> int:
    """How many transactions the plan has, without making them one by one."""
    return sum(len(day) for day in Simulation(plan.history()).days(plan.days))
