"""Labels of an import as its summary shows them: by month, and what is odd about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from commands.imports.label_months import MonthLabels
    from commands.imports.summary import ImportSummary

_SHOWN_MONTHS = 36


def label_facts(summary: ImportSummary) -> dict[str, Any]:
    """As JSON types; `months_without_fraud` tells how many frauds were to be expected in each.
    These months have no share of fraud: it was not measured."""
    from commands.imports.label_months import without_fraud

    silent = without_fraud(summary.months)
    months = sorted(summary.months.items())
    return {
        "label_months": {name: _facts(each, name in silent) for name, each in months},
        "months_without_fraud": {name: round(frauds, 1) for name, frauds in silent.items()},
    }


def _facts(month: MonthLabels, silent: bool) -> dict[str, Any]:
    return {
        "payments": month.payments,
        "labels": month.labels,
        "fraud": month.fraud if month.labels else None,
        "fraud_share": None if silent else month.fraud_share,
    }


def fraud_share(summary: ImportSummary) -> float | None:
    """Of the labels of all months but those without the frauds that were to be expected."""
    from commands.imports.label_months import in_all, without_fraud

    silent = without_fraud(summary.months)
    share = in_all({k: v for k, v in summary.months.items() if k not in silent}).fraud_share
    return None if share is None else round(share, 6)


def months_table(summary: ImportSummary) -> Table | None:
    """The latest months; a month without labels has neither frauds nor a share of them."""
    from commands.imports.label_months import without_fraud

    months, silent = sorted(summary.months.items()), without_fraud(summary.months)
    if not any(each.labels for _, each in months):
        return None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 1))
    for title in ("month (UTC)", "payments", "labels", "fraud", "share", ""):
        table.add_column(title, justify="right" if title and title[0] in "plfs" else "left")
    if len(months) > _SHOWN_MONTHS:
        table.add_row(f"{len(months) - _SHOWN_MONTHS} before")
    for name, each in months[-_SHOWN_MONTHS:]:
        share = None if name in silent else each.fraud_share
        fraud = f"{each.fraud:,}" if each.labels else "-"
        note = f"about {silent[name]:,.0f} expected" if name in silent else ""
        cells = f"{each.payments:,}", f"{each.labels:,}", fraud
        table.add_row(name, *cells, "-" if share is None else f"{share:.3%}", note)
    return table


def told_of_labels(summary: ImportSummary, dry_run: bool) -> Iterator[str]:
    """Lines for the end of the summary."""
    from commands.imports.label_months import in_all, without_fraud

    every = in_all(summary.months)
    if every.labels and every.fraud in (0, every.labels):
        kind = "fraud" if every.fraud else "genuine"
        yield f"All {every.labels:,} labels are {kind}: nothing can be learnt from them alone."
    elif 2 * every.fraud > every.labels:
        yield "More than half of the labels are fraud: does the label's column mean the opposite?"
    silent = without_fraud(summary.months)
    if silent:
        asked = " ".join(f"--unlabelled {name}" for name in silent)
        yield (
            f"No label is fraud in {', '.join(silent)}, where some were to be expected. If frauds"
            f" were not reported, leave these labels out by {asked}: else all payments of that time"
            " count as genuine."
        )
    if silent and not dry_run:
        yield "What was appended stays in the log: try an import with --dry-run first."
    if summary.labels_left_out:
        yield f"{summary.labels_left_out:,} labels left out, of months taken as unlabelled."
    if summary.labels_held and summary.complete:
        yield (
            f"{summary.labels_held:,} labels become known only in the future: run it again then."
        )
    elif summary.labels_held:
        yield (
            f"{summary.labels_held:,} labels of these rows are not in the log yet: run it again."
        )
