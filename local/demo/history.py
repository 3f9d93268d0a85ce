"""Import of simulated history: its facts, in the order in which they became known.

Ids follow from the plan, so an interrupted import continues: transactions that are in the log are
left out, and a label appended twice counts once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from commands.imports.facts import Facts, append_facts
from commands.intake.cleaner import PayloadCleaner
from commands.labels.label import label_envelope, parse_label
from domain.events import IMPORT_SOURCE, Envelope, TransactionImported
from domain.transactions import Transaction
from eventlog.codec import glance
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from local.demo.plan import HistoryPlan
from simulator.due_labels import DueLabels
from simulator.output.submission import label_to_submission, to_submission
from simulator.records import SimulatedLabel
from simulator.simulation import Simulation

ORIGIN = "demo"
_SOURCE = IMPORT_SOURCE + ORIGIN
_PROGRESS_EVERY = 500

Progress = Callable[[int], None]
"""Takes the number of transactions so far."""


@dataclass(frozen=True, slots=True)
class ImportedHistory:
    transactions: int
    added: int
    labels: int


def imported_ids(log: EventLog, prefix: str) -> set[str]:
    """Ids with that prefix of the imported transactions in the log. Reads the whole topic."""
    found = set()
    for recorded in log.read(TRANSACTIONS):
        if recorded.key is not None and recorded.key.startswith(prefix):
            seen = glance(recorded.value)
            if seen.name == TransactionImported.NAME:
                found.add(seen.subject)
    return found


def import_history(
    plan: HistoryPlan,
    log: EventLog,
    cleaner: PayloadCleaner,
    now: int,
    present: set[str],
    progress: Progress,
) -> ImportedHistory:
    """Durable when it returns. Transactions in `present` are left out, their labels are not.

    Raises LogUnavailableError; it can then be called again.
    """
    transactions = added = labels = 0

    def missing() -> Iterator[Envelope]:
        nonlocal transactions, added, labels
        for fact in facts(plan, cleaner, now):
            if not isinstance(fact.data, TransactionImported):
                labels += 1
                yield fact
                continue
            transactions += 1
            if transactions % _PROGRESS_EVERY == 0:
                progress(transactions)
            if fact.subject not in present:
                added += 1
                yield fact

    append_facts(log, missing())
    progress(transactions)
    return ImportedHistory(transactions, added, labels)


def facts(plan: HistoryPlan, cleaner: PayloadCleaner, now: int) -> Iterator[Envelope]:
    """Imported transactions, and the labels known before the history's end, in known order."""
    simulation = Simulation(plan.history())
    maker = Facts(source=_SOURCE, origin=ORIGIN, correlation_id=plan.id_prefix, score=False)
    due, labelled = DueLabels(), dict[str, Transaction]()

    def label_fact(label: SimulatedLabel) -> Envelope:
        command = parse_label(label_to_submission(label))
        about = labelled[label.transaction_id]
        return label_envelope(command, about, _SOURCE, label.known_at, plan.id_prefix)

    line = 0
    for day in simulation.days(plan.days):
        known = [label for label in day.labels() if label.known_at < plan.end_us]
        due.add(known)
        wanted = {label.transaction_id for label in known}
        for simulated in day.transactions():
            yield from map(label_fact, due.before(simulated.timestamp))
            line += 1
            transaction = cleaner.clean(to_submission(simulated), now)
            if transaction.transaction_id in wanted:
                labelled[transaction.transaction_id] = transaction
            yield from maker.of_transactions([transaction], [cleaner.digest(transaction)], [line])
    yield from map(label_fact, due.rest())


def expected_transactions(plan: HistoryPlan) -> int:
    """The number of transactions of the plan, without making each of them."""
    return sum(len(day) for day in Simulation(plan.history()).days(plan.days))
