"""Labels by month: months without fraud are told of, and left out where that is asked."""

import json
from pathlib import Path

import pytest

from cli.ingest.labels import fraud_share, label_facts, months_table, told_of_labels
from commands.imports.label_months import MonthLabels, month_of, parse_months, without_fraud
from commands.imports.summary import ImportSummary
from domain.errors import InvalidInputError
from domain.events import TransactionImported, TransactionLabelled
from tests.builders.import_files import Imported, rows_of, run_import, write_csv, write_ndjson

APRIL = "2024-04"
ROWS = 480  # to the end of April


def history(folder: Path, unlabelled: frozenset[str] = frozenset()) -> Imported:
    """A fifth is fraud, and nothing in March."""
    rows = rows_of(ROWS)
    for row in rows:
        row["fraud"] *= int("-03-" not in row["timestamp"])
    path = write_ndjson(folder / "h.ndjson", rows)
    return run_import(path, label="fraud", unlabelled=unlabelled)


def test_the_summary_has_labels_and_share_of_fraud_by_month(tmp_path: Path) -> None:
    summary = history(tmp_path).summary
    months = summary.months
    assert {name: each.payments for name, each in months.items()} == {
        "2024-01": 124, "2024-02": 116, "2024-03": 124, APRIL: 116,
    }  # fmt: skip
    assert sum(each.fraud for each in months.values()) == summary.labels_fraud
    assert sum(each.labels for each in months.values()) == summary.labels == ROWS
    facts = label_facts(summary)
    assert facts["label_months"]["2024-01"] == {
        "payments": 124, "labels": 124, "fraud": 25, "fraud_share": 25 / 124,
    }  # fmt: skip
    assert fraud_share(summary) == pytest.approx(0.2, rel=0.05)
    assert json.loads(json.dumps(facts)) == facts


def test_a_month_that_lacks_the_frauds_to_be_expected_is_told_and_not_measured(
    tmp_path: Path,
) -> None:
    summary = history(tmp_path).summary
    facts = label_facts(summary)
    assert facts["months_without_fraud"] == {"2024-03": pytest.approx(124 / 5, abs=0.5)}
    assert facts["label_months"]["2024-03"]["fraud_share"] is None
    (line,) = told_of_labels(summary, True)
    assert "No label is fraud in 2024-03" in line
    assert "--unlabelled 2024-03" in line
    assert "stays in the log" in list(told_of_labels(summary, False))[-1]


@pytest.mark.parametrize(("labels", "told"), [(24, []), (25, ["2024-03"]), (0, [])])
def test_a_month_is_told_of_from_five_expected_frauds_on(labels: int, told: list[str]) -> None:
    months = {"2024-02": MonthLabels(100, 80, 20), "2024-03": MonthLabels(100, labels, 0)}
    assert list(without_fraud(months)) == told


def test_a_month_taken_as_unlabelled_has_no_labels_and_all_its_payments(tmp_path: Path) -> None:
    done = history(tmp_path, frozenset({"2024-03"}))
    paid = {e.subject: month_of(e.time) for e in done.of(TransactionImported)}
    labelled = {paid[e.subject] for e in done.of(TransactionLabelled)}
    assert (len(paid), labelled) == (ROWS, {"2024-01", "2024-02", APRIL})
    summary = done.summary
    assert (summary.labels, summary.labels_left_out) == (ROWS - 124, 124)
    month = label_facts(summary)["label_months"]["2024-03"]
    assert month == {"payments": 124, "labels": 0, "fraud": None, "fraud_share": None}
    table = months_table(summary)
    assert table is not None
    assert list(table.columns[3].cells)[2] == "-"
    assert list(told_of_labels(summary, True)) == [
        "124 labels left out, of months taken as unlabelled."
    ]


def test_months_are_read_or_refused() -> None:
    assert parse_months(["2024-03", " 2024-1"], "--unlabelled") == {"2024-03", "2024-01"}
    for wrong in ("2024-13", "March", ""):
        with pytest.raises(InvalidInputError, match="no month such as 2024-03"):
            parse_months([wrong], "--unlabelled")


def test_labels_of_one_kind_alone_are_told_of(tmp_path: Path) -> None:
    for value, kind in ((0, "genuine"), (1, "fraud")):
        rows = [{**row, "fraud": value} for row in rows_of(20)]
        done = run_import(write_csv(tmp_path / "a.csv", rows), label="fraud")
        (line,) = told_of_labels(done.summary, True)
        assert line.startswith(f"All 20 labels are {kind}")
    assert months_table(ImportSummary()) is None
