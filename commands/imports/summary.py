"""Counts of an import: every row read is accepted or rejected."""

from dataclasses import dataclass, field

from commands.imports.label_months import MonthLabels, month_of

_MOST_REASONS = 100


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

    def count_label(self, timestamp: int, label: int | None) -> None:
        """Of an accepted payment; None where it has none."""
        name = month_of(timestamp)
        month = self.months.get(name) or self.months.setdefault(name, MonthLabels())
        month.payments += 1
        if label is not None:
            month.fraud += label
            month.genuine += 1 - label

    def note_time(self, timestamp: int) -> int:
        """The greatest so far."""
        if self.last_time is None or self.first_time is None:
            self.first_time = self.last_time = timestamp
        elif timestamp >= self.last_time:
            self.last_time = timestamp
        else:
            self.out_of_order += 1
            self.first_time = min(self.first_time, timestamp)
        return self.last_time
