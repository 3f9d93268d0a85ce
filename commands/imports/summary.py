"""Counts of an import: every row read is accepted or rejected."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import lt

import numpy as np

from commands.imports.label_months import MonthLabels, month_of
from domain.times import DAY

_MOST_REASONS = 100
Notes = tuple[str, ...]
"""What must be told of a row; of most it is the same."""


@dataclass(slots=True)
class ImportSummary:
    """`rows` = `accepted` + `rejected`. Times are microseconds.

    `cleaned` counts accepted rows in which some text was normalised. `labels_held` were read
    and not sent: they will be known only after now, or the import ended early. `labels_left_out`
    are of months that were to be taken as unlabelled. `out_of_order` rows are older than one
    before them, `into_past` accepted ones than what the log held before the import. `notes` counts
    accepted rows of which something must be told. `months` are the labels, sent or held, by the
    month of their payments.
    """

    rows: int = 0
    accepted: int = 0
    cleaned: int = 0
    rejected: int = 0
    labels: int = 0
    labels_fraud: int = 0
    labels_held: int = 0
    labels_left_out: int = 0
    out_of_order: int = 0
    into_past: int = 0
    first_time: int | None = None
    last_time: int | None = None
    rejected_fields: dict[str, int] = field(default_factory=dict)
    cleaned_fields: dict[str, int] = field(default_factory=dict)
    rejected_reasons: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    months: dict[str, MonthLabels] = field(default_factory=dict)
    complete: bool = False

    def count_reason(self, reason: str) -> None:
        """Of the first reasons that a file gives; there are few."""
        if reason in self.rejected_reasons or len(self.rejected_reasons) < _MOST_REASONS:
            self.rejected_reasons[reason] = self.rejected_reasons.get(reason, 0) + 1

    def note(self, rows: Iterable[Notes]) -> None:
        for notes, count in Counter(rows).items():
            for note in notes:
                self.notes[note] = self.notes.get(note, 0) + count

    def accept(self, times: Sequence[int], newest: int | None) -> None:
        """Rows with these times, in their order; `newest` is the newest of the log before."""
        if not times:
            return
        self.rows += len(times)
        self.accepted += len(times)
        latest = times[0] if self.last_time is None else self.last_time
        self.out_of_order += sum(map(lt, times, accumulate(times[:-1], max, initial=latest)))
        self.last_time = max(latest, *times)
        self.first_time = min(times[0] if self.first_time is None else self.first_time, *times)
        if newest is not None:
            self.into_past += sum(time < newest for time in times)

    def count_labels(self, times: Sequence[int], labels: Sequence[int | None]) -> None:
        """Of accepted payments; None where one has no label."""
        if not times:
            return
        # Of each day three numbers: no label, genuine, fraud.
        known = [0 if each is None else 1 + each for each in labels[: len(times)]]
        kinds = np.array(times, np.int64) // DAY * 3 + known
        for kind, count in zip(*np.unique(kinds, return_counts=True), strict=True):
            name = month_of(int(kind) // 3 * DAY)
            month = self.months.get(name) or self.months.setdefault(name, MonthLabels())
            month.payments += int(count)
            month.genuine += int(count) * int(kind % 3 == 1)
            month.fraud += int(count) * int(kind % 3 == 2)
