"""Command ImportRows: appends the rows of a file as history."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, compress
from operator import not_
from pathlib import Path
from typing import Any

from commands.imports.columns.plain_columns import PlainColumns, PlainRows, are_plain
from commands.imports.facts import FLUSH_SECONDS, Facts, TakenRows
from commands.imports.flow.back_pressure import AT_ONCE
from commands.imports.label_months import month_of
from commands.imports.label_queue import LabelQueue
from commands.imports.mapping.amounts import ROUNDED
from commands.imports.mapping.binding import Binding
from commands.imports.mapping.damage import is_damaged
from commands.imports.readers.rows import Batch, MalformedRow, Row, RowSource
from commands.imports.rejects import Reject, RejectSink, original_text
from commands.imports.row_cleaner import RowCleaner
from commands.imports.seen_ids import SeenIds
from commands.imports.summary import ImportSummary
from commands.intake.cleaner import PayloadCleaner
from domain.cleaning.changes import changed_fields, is_rounded, notes_of
from domain.cleaning.fields import DAMAGED
from domain.errors import FieldError, InvalidInputError, InvalidTransactionError
from domain.events import Envelope
from eventlog.port import Appender
from eventlog.topics import TRANSACTIONS

SOURCE_PREFIX = "retrace/import/"
_REPEATED = FieldError("transaction_id", "repeats an earlier row")


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
    damaged: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unlabelled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPorts:
    """`redact` takes card numbers out of a rejected row's text. `schedule` gets each event's
    time and may wait; `back_pressure` gets how many records may come next, and returns once there
    is room for them. `progress` gets the counts, every few thousand rows. `newest` is the newest
    known time in the log before the import, None where it is empty or was not asked.
    """

    cleaner: PayloadCleaner
    log: Appender
    clock: Callable[[], int]
    redact: Callable[[str], str]
    reject: RejectSink
    spool: Path | None = None
    schedule: Callable[[int], None] | None = None
    back_pressure: Callable[[int], None] | None = None
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
        self._taken = TakenRows()
        self._labels = LabelQueue(self._facts.labelled, ports.spool)
        self._labelled = command.binding.label is not None
        self._now = ports.clock()
        self._room = 0
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
        lines, size, start = batch.lines, min(most, len(batch)), 0
        self._taken = TakenRows()
        if self._plain is not None:
            style = self._cleaner.style
            plain = self._plain.rows(batch, self._now, style)
            for at in (*(each for each in plain.left if each < size), size):
                self._take_plain(batch, lines, plain, range(start, at))
                start = at
                if at < size:
                    self._take_row(lines[at], batch.row(at))
                    start += 1
                # What the file proves meanwhile of its amounts counts from the next row on.
                if style is not self._cleaner.style:
                    break
        for at in range(start, size):
            self._take_row(lines[at], batch.row(at))
        self._append(self._taken)

    def _take_plain(
        self, batch: Batch, lines: Sequence[int], plain: PlainRows, rows: range
    ) -> None:
        """`rows` of the batch, which are clean already."""
        part = slice(rows.start, rows.stop)
        given: Sequence[Sequence[Any]] = (
            lines[part],
            plain.transactions[part],
            plain.digests[part],
            plain.labels[part],
            plain.notes[part],
        )
        new = self._seen.add_all([each.transaction_id for each in plain.transactions[part]])
        if all(new):
            self._taken.extend(*given)
        else:
            self._taken.extend(*(compress(each, new) for each in given))
            for at in compress(rows, map(not_, new)):
                self._reject(lines[at], batch.row(at), [_REPEATED])

    def _take_row(self, line: int, row: Row) -> None:
        try:
            self._take(line, row)
        except InvalidTransactionError as error:
            self._reject(line, row, error.errors)

    def _take(self, line: int, row: Row) -> None:
        """Raises InvalidTransactionError for a row that is refused."""
        if isinstance(row, MalformedRow):
            raise InvalidTransactionError([FieldError("row", row.reason)])
        binding = self._command.binding
        if damaged := [
            FieldError(name, DAMAGED)
            for name, columns in self._command.damaged.items()
            if is_damaged(row, columns)
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
        if not self._seen.add(transaction.transaction_id):
            raise InvalidTransactionError([_REPEATED])
        notes = (*binding.notes, *notes_of(payload["timestamp"], transaction))
        digest = self._ports.cleaner.digest(transaction)
        self._taken.extend([line], [transaction], [digest], [label], [notes])
        changed = changed_fields(payload, transaction)
        style = self._cleaner.style
        if style.rounding and is_rounded(payload["amount"], transaction, style):
            changed.append("amount")
            self._summary.note([(ROUNDED,)])
        if changed:
            self._count_cleaned(changed)

    def _append(self, taken: TakenRows) -> None:
        """The rows of a batch in their order, and before each the labels that became known."""
        summary, schedule, now = self._summary, self._ports.schedule, self._now
        append, waiting = self._appended, self._labels
        facts = self._facts.of_transactions(
            taken.transactions, taken.digests, taken.lines, self._part
        )
        times = [fact.time for fact in facts]
        values: Sequence[int | None] = taken.labels
        if self._command.unlabelled:
            values = list(map(self._unless_left_out, times, values))
        labels = self._facts.labels(taken.transactions, values, self._command.label_delay)
        latest = accumulate(times, max, initial=summary.last_time or 0)
        next(latest)
        appended = 0
        try:
            for fact, label, until in zip(facts, labels, latest, strict=True):
                if waiting.next_known <= until:
                    self._send_labels(min(until, now), schedule)
                if schedule is not None:
                    schedule(fact.time)
                append(fact)
                appended += 1
                if label is not None:
                    waiting.push(label)
        finally:
            summary.accept(times[:appended], self._ports.newest)
            if self._labelled:
                summary.count_labels(times[:appended], values)
            summary.note(taken.notes[:appended])

    def _appended(self, fact: Envelope) -> None:
        if not self._room and self._ports.back_pressure is not None:
            self._ports.back_pressure(AT_ONCE)
            self._room = AT_ONCE
        self._room -= 1
        self._ports.log.append_nowait(TRANSACTIONS, fact.subject, fact)

    def _unless_left_out(self, at: int, label: int | None) -> int | None:
        if label is None or month_of(at) not in self._command.unlabelled:
            return label
        self._summary.labels_left_out += 1
        return None

    def _send_labels(self, until: int, schedule: Callable[[int], None] | None) -> None:
        """Those that are known by then, in the order of the file."""
        summary, append = self._summary, self._appended
        for fact in self._labels.due(until):
            if schedule is not None:
                schedule(fact.known_time)
            append(fact)
            summary.labels += 1
            summary.labels_fraud += fact.data.value

    def _reject(self, line: int, row: Row, errors: Sequence[FieldError]) -> None:
        summary = self._summary
        summary.rows += 1
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
