"""Events of an import: transactions and labels, with the known times that it states."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from commands.imports.summary import Notes
from domain.events import (
    Envelope,
    Event,
    LabelKind,
    TransactionImported,
    TransactionLabelled,
    TransactionSubmitted,
    label_event_id,
    transaction_event_id,
)
from domain.records import records_of
from domain.transactions import Transaction
from eventlog.port import Appender
from eventlog.topics import TRANSACTIONS

REPORTER_PREFIX = "import:"
FLUSH_SECONDS = 120.0


def append_facts(log: Appender, facts: Iterable[Envelope]) -> None:
    """Appends in the order given; durable when it returns. Raises LogUnavailableError."""
    for fact in facts:
        log.append_nowait(TRANSACTIONS, fact.subject, fact)
    log.flush(FLUSH_SECONDS)


@dataclass(slots=True)
class TakenRows:
    """Rows of a batch that are taken, with what must be told of each."""

    lines: list[int] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    labels: list[int | None] = field(default_factory=list)
    notes: list[Notes] = field(default_factory=list)

    def extend(
        self,
        lines: Iterable[int],
        transactions: Iterable[Transaction],
        digests: Iterable[str],
        labels: Iterable[int | None],
        notes: Iterable[Notes],
    ) -> None:
        self.lines.extend(lines)
        self.transactions.extend(transactions)
        self.digests.extend(digests)
        self.labels.extend(labels)
        self.notes.extend(notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`origin` is the name of file or folder, `part` below it that of the file itself.

    With `score` a transaction is submitted for a decision.
    """

    source: str
    origin: str
    correlation_id: str
    score: bool

    def of_transactions(
        self,
        transactions: Sequence[Transaction],
        digests: Sequence[str],
        lines: Sequence[int],
        part: str = "",
    ) -> list[Envelope]:
        keys = [each.transaction_id for each in transactions]
        times = [each.timestamp for each in transactions]
        kind: type[Event] = TransactionSubmitted if self.score else TransactionImported
        given = {"transaction": transactions, "digest": digests}
        if self.score:
            data = records_of(kind, **given, mode=repeat("submit"), raw=repeat(None))
        else:
            data = records_of(kind, **given, origin=repeat(part or self.origin), line=lines)
        ids = [transaction_event_id(kind, key) for key in keys]
        return self._envelopes(ids, keys, times, data)

    def labels(
        self, transactions: Sequence[Transaction], values: Sequence[int | None], delay: int
    ) -> Sequence[Envelope | None]:
        """Of each transaction its label, known `delay` microseconds after it; None without one."""
        given = [each for each in values if each is not None]
        if len(given) == len(values):
            return self._labels(transactions, given, delay)
        having = [x for x, each in zip(transactions, values, strict=True) if each is not None]
        made = iter(self._labels(having, given, delay))
        return [None if each is None else next(made) for each in values]

    def _labels(
        self, transactions: Sequence[Transaction], values: Sequence[int], delay: int
    ) -> list[Envelope]:
        keys = [each.transaction_id for each in transactions]
        reporter = repeat(REPORTER_PREFIX + self.origin)
        kinds: list[LabelKind] = ["fraud_report" if value else "genuine" for value in values]
        made = TransactionLabelled.of_all(transactions, values, kinds, reporter, keys)
        return self.labelled([each.timestamp + delay for each in transactions], made)

    def labelled(
        self, known_times: Sequence[int], labels: Sequence[TransactionLabelled]
    ) -> list[Envelope]:
        ids = [
            label_event_id(TransactionLabelled, each.transaction_id, each.reporter, each.reference)
            for each in labels
        ]
        return self._envelopes(ids, [each.transaction_id for each in labels], known_times, labels)

    def _envelopes(
        self, ids: Sequence[str], keys: Sequence[str], times: Sequence[int], data: Sequence[Event]
    ) -> list[Envelope]:
        return records_of(
            Envelope,
            id=ids,
            source=repeat(self.source),
            subject=keys,
            time=times,
            known_time=times,
            data=data,
            correlation_id=repeat(self.correlation_id),
            causation_id=repeat(None),
        )
