"""Command ImportRows: appends the rows of a file as history."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from commands.imports.facts import FLUSH_SECONDS, Facts
from commands.imports.label_months import month_of
from commands.imports.label_queue import LabelQueue, PendingLabel
from commands.imports.mapping.amounts import ROUNDED
from commands.imports.mapping.binding import Binding
from commands.imports.mapping.damage import is_damaged
from commands.imports.plain_columns import PlainColumns, are_plain
from commands.imports.readers.rows import Batch, MalformedRow, Row, RowSource
from commands.imports.rejects import Reject, RejectSink, original_text
from commands.imports.row_cleaner import RowCleaner
from commands.imports.seen_ids import SeenIds
from commands.imports.summary import ImportSummary
from commands.intake.cleaner import PayloadCleaner
from domain.cleaning.changes import changed_fields, is_rounded, notes_of
from domain.cleaning.fields import DAMAGED
from domain.errors import FieldError, InvalidInputError, InvalidTransactionError
from domain.transactions import Transaction
from eventlog.port import Appender
from eventlog.topics import TRANSACTIONS

SOURCE_PREFIX = "retrace/import/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRows:
    """`name` and `correlation_id` are those of the file; with `score` the rows are decided.

    `label_delay` is in microseconds. At most `limit` rows are read. `again` opens the file once
    more, for what only its whole can tell. Labels of payments in the months `unlabelled` (2024-03,
    UTC) are left out. `damaged` are columns whose long numbers are rounded, by
    the field that they fill.
    """

    name: str
    correlation_id: str
    binding: Binding
    label_delay: int
    score: bool = False
    limit: int | None = None
    again: Callable[[], RowSource] | None = None
    damaged: Mapping[str, str] = field(default_factory=dict)
    unlabelled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPorts:
    """`redact` takes card numbers out of a rejected row's text. `schedule` gets each event's
    time and may wait; `progress` gets the counts, every few thousand rows. `newest` is the newest
    known time in the log before the import, None where it is empty or was not asked.
    """

    cleaner: PayloadCleaner
    log: Appender
    clock: Callable[[], int]
    redact: Callable[[str], str]
    reject: RejectSink
    spool: Path | None = None
    schedule: Callable[[int], None] | None = None
    progress: Callable[[ImportSummary], None] | None = None
    newest: int | None = None


def import_rows(
    command: ImportRows, rows: RowSource, ports: ImportPorts, summary: ImportSummary
) -> None:
    """Durable when it returns, with `summary.complete` set; running it again adds nothing.

    Transactions and labels are appended in the order in which they were known, as far as the file
    is in time order. `summary` holds what was appended also where it raises: LogUnavailableError,
    or InvalidInputError for a file that ends in damage, whose labels so far were appended.
    """
    _Import(command, ports, summary).run(rows)


class _Import:
    def __init__(self, command: ImportRows, ports: ImportPorts, summary: ImportSummary) -> None:
        self._command, self._ports, self._summary = command, ports, summary
        self._facts = Facts(
            source=SOURCE_PREFIX + command.name,
            origin=command.name,
            correlation_id=command.correlation_id,
            score=command.score,
        )
        self._seen = SeenIds()
        self._part = ""
        self._labels = LabelQueue(ports.spool)
        self._now = ports.clock()
        self._cleaner = RowCleaner(command.binding, ports.cleaner, command.again)
        self._plain: PlainColumns | None = None
        if are_plain(command.binding) and not command.damaged:
            self._plain = PlainColumns(command.binding, ports.cleaner, self._cleaner.words)

    def run(self, rows: RowSource) -> None:
        try:
            self._take_all(rows)
        except InvalidInputError:
            # What the file holds no more does not make the labels before it wait.
            self._send_rest()
            raise
        else:
            self._send_rest()
            self._summary.complete = True
        finally:
            self._summary.labels_held = len(self._labels)
            self._labels.close()

    def _send_rest(self) -> None:
        self._send_labels(self._now, None)
        self._ports.log.flush(FLUSH_SECONDS)

    def _take_all(self, rows: RowSource) -> None:
        left = self._command.limit
        for batch in rows.batches():
            self._now = self._ports.clock()
            self._part = rows.part
            self._take_batch(batch, len(batch) if left is None else left)
            if self._ports.progress is not None:
                self._ports.progress(self._summary)
            if left is not None and (left := left - len(batch)) <= 0:
                return

    def _take_batch(self, batch: Batch, most: int) -> None:
        style = self._cleaner.style
        plain = None if self._plain is None else self._plain.rows(batch, self._now, style)
        for at, line in enumerate(islice(batch.lines, most)):
            self._summary.rows += 1
            try:
                # What the file proves meanwhile of its amounts counts from the next row on.
                ready = plain.transactions[at] if plain and style is self._cleaner.style else None
                if plain is None or ready is None:
                    self._take(line, batch.row(at))
                else:
                    self._enter(line, ready, plain.labels[at], plain.notes[at])
            except InvalidTransactionError as error:
                self._reject(line, batch.row(at), error.errors)

    def _take(self, line: int, row: Row) -> None:
        """Raises InvalidTransactionError for a row that is refused."""
        if isinstance(row, MalformedRow):
            raise InvalidTransactionError([FieldError("row", row.reason)])
        binding = self._command.binding
        if damaged := [
            FieldError(name, DAMAGED)
            for name, column in self._command.damaged.items()
            if is_damaged(row, column)
        ]:
            raise InvalidTransactionError(damaged)
        payload = binding.payload(row, line)
        transaction = self._cleaner.clean(payload, self._now)
        label = None
        if binding.label is not None:
            try:
                label = binding.label_of(row)
            except ValueError as error:
                wrong = FieldError(binding.label.column, str(error))
                raise InvalidTransactionError([wrong]) from None
        notes = (*binding.notes, *notes_of(payload["timestamp"], transaction))
        self._enter(line, transaction, label, notes)
        changed = changed_fields(payload, transaction)
        style = self._cleaner.style
        if style.rounding and is_rounded(payload["amount"], transaction, style):
            changed.append("amount")
            self._note(ROUNDED)
        if changed:
            self._count_cleaned(changed)

    def _enter(
        self, line: int, transaction: Transaction, label: int | None, notes: Sequence[str]
    ) -> None:
        if not self._seen.add(transaction.transaction_id):
            raise InvalidTransactionError([FieldError("transaction_id", "repeats an earlier row")])
        self._accept(line, transaction)
        for note in notes:
            self._note(note)
        if self._command.binding.label is not None:
            self._label(transaction, label)

    def _label(self, transaction: Transaction, label: int | None) -> None:
        at, command, summary = transaction.timestamp, self._command, self._summary
        if label is not None and command.unlabelled and month_of(at) in command.unlabelled:
            label = None
            summary.labels_left_out += 1
        summary.count_label(at, label)
        if label is not None:
            pending = PendingLabel(at + command.label_delay, self._facts.label(transaction, label))
            self._labels.push(pending)

    def _note(self, note: str) -> None:
        self._summary.notes[note] = self._summary.notes.get(note, 0) + 1

    def _accept(self, line: int, transaction: Transaction) -> None:
        summary, ports = self._summary, self._ports
        latest = summary.note_time(transaction.timestamp)
        self._send_labels(min(latest, self._now), ports.schedule)
        if ports.schedule is not None:
            ports.schedule(transaction.timestamp)
        digest = ports.cleaner.digest(transaction)
        fact = self._facts.of_transaction(transaction, digest, line, self._part)
        ports.log.append_nowait(TRANSACTIONS, transaction.transaction_id, fact)
        summary.accepted += 1
        summary.into_past += ports.newest is not None and transaction.timestamp < ports.newest

    def _send_labels(self, until: int, schedule: Callable[[int], None] | None) -> None:
        """Those that are known by then, in the order of the file."""
        labels, summary = self._labels, self._summary
        while (first := labels.first()) is not None and first.known_time <= until:
            known_time, label = labels.pop()
            if schedule is not None:
                schedule(known_time)
            fact = self._facts.labelled(label, known_time)
            self._ports.log.append_nowait(TRANSACTIONS, label.transaction_id, fact)
            summary.labels += 1
            summary.labels_fraud += label.value

    def _reject(self, line: int, row: Row, errors: Sequence[FieldError]) -> None:
        summary = self._summary
        summary.rejected += 1
        field = errors[0].field
        summary.rejected_fields[field] = summary.rejected_fields.get(field, 0) + 1
        original = self._ports.redact(original_text(row))
        summary.count_reason(f"{field}: {errors[0].message}")
        part = self._part if self._part != self._command.name else ""
        self._ports.reject(Reject(line, errors, original, part))

    def _count_cleaned(self, fields: Sequence[str]) -> None:
        summary = self._summary
        summary.cleaned += 1
        for name in fields:
            summary.cleaned_fields[name] = summary.cleaned_fields.get(name, 0) + 1
