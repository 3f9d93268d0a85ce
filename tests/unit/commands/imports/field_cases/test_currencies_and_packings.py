"""Amounts in currencies of no, two and three decimals; files that are packed, cut or misnamed."""

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from domain.errors import InvalidInputError, InvalidTransactionError
from domain.events import TransactionImported
from domain.features import CATALOGUE, finish
from domain.transactions import Transaction
from tests.builders.import_files import (
    NOW,
    OrderedLog,
    cleaner,
    rows_of,
    run_import,
    write_csv,
    write_ndjson,
)

AMOUNT = CATALOGUE.names.index("amount")


def paid(amount: object, currency: str) -> Transaction:
    payload = {"transaction_id": "t", "timestamp": "2024-03-01T00:00:00Z", "amount": amount}
    return cleaner().clean({**payload, "currency": currency}, NOW)


def test_o19_each_currency_has_its_own_decimals() -> None:
    assert [paid(given, "JPY").amount for given in (500, "500.00", 500.0)] == [500] * 3
    assert [paid(given, "KWD").amount for given in ("92.000", 92)] == [92_000] * 2
    assert paid("5.00", "USD").amount == 500
    for given, currency in ((500.5, "JPY"), ("500.5", "JPY"), (1.005, "USD"), ("1.005", "USD")):
        with pytest.raises(InvalidTransactionError) as refused:
            paid(given, currency)
        (error,) = refused.value.errors
        assert error.field == "amount"
        # The text may be a thousand as well; the number is what it is.
        said = "is ambiguous" if given == "1.005" else f"has more decimals than {currency} has"
        assert error.message.startswith(said)


def test_o19_the_amount_feature_has_the_true_order_over_currencies() -> None:
    payments = [paid("500", "JPY"), paid("92.00", "USD"), paid("92.000", "KWD")]
    values = [finish({}, each)[AMOUNT] for each in payments]
    yen, dollars, dinars = values
    assert yen is not None
    assert dollars is not None
    assert dinars is not None
    assert yen < dollars == 92.0 < dinars


def test_o19_a_file_gives_the_amounts_that_a_request_gives(tmp_path: Path) -> None:
    given = [(500, "JPY"), ("500.00", "JPY"), ("92.000", "KWD"), (1.005, "USD"), ("500.5", "JPY")]
    rows = [
        {**row, "amount": amount, "currency": currency}
        for row, (amount, currency) in zip(rows_of(len(given)), given, strict=True)
    ]
    for path in (write_csv(tmp_path / "a.csv", rows), write_ndjson(tmp_path / "a.ndjson", rows)):
        done = run_import(path)
        found = [event.data.transaction.amount for event in done.of(TransactionImported)]
        assert found == [500, 500, 92_000]
        assert {reject.field for reject in done.rejects} == {"amount"}


def dry_run(path: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", "ingest", str(path), "--dry-run", "--json"]
    environment = os.environ | {"RETRACE_STATE_DIR": str(folder / "state")}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def csv_bytes(folder: Path, rows: int) -> bytes:
    return write_csv(folder / "plain.csv", rows_of(rows)).read_bytes()


def test_o22_a_cut_file_counts_its_rows_and_ends_above_0(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    whole = gzip.compress(csv_bytes(tmp_path, 500))
    path.write_bytes(whole[: len(whole) * 4 // 5])
    done = dry_run(path, tmp_path)
    assert done.returncode == 1
    figures = json.loads(done.stdout)
    assert 0 < figures["accepted"] < 500
    assert figures["rows"] == figures["accepted"] + figures["rejected"]
    assert not figures["complete"]
    assert "cut off after" in done.stderr.splitlines()[-1]


def test_o22_the_whole_file_after_a_cut_one_adds_what_was_missing(tmp_path: Path) -> None:
    path, content = tmp_path / "a.csv.gz", gzip.compress(csv_bytes(tmp_path, 500))
    log = OrderedLog()
    path.write_bytes(content[: len(content) * 4 // 5])
    with pytest.raises(InvalidInputError, match="cut off"):
        run_import(path, label="fraud", log=log)
    cut = {event.id for event in log.appended}
    path.write_bytes(content)
    whole = {event.id for event in run_import(path, label="fraud").log.appended}
    assert cut < whole
    assert len(whole) == 1000


def zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.csv", content)
    return made.getvalue()


def test_o22_packed_files_are_read_and_a_misnamed_spreadsheet_is_named(tmp_path: Path) -> None:
    plain = csv_bytes(tmp_path, 50)
    for name, content in (
        ("a.csv.zst", pa.Codec("zstd").compress(plain, asbytes=True)), ("a.csv.zip", zipped(plain)),
        ("misnamed.txt", gzip.compress(plain)),
    ):  # fmt: skip
        path = tmp_path / name
        path.write_bytes(content)
        assert run_import(path, label="fraud").summary.accepted == 50
    sheet = tmp_path / "payments.csv"
    with zipfile.ZipFile(sheet, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
    done = dry_run(sheet, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "is an Excel spreadsheet (xlsx): save it as CSV" in line
    assert line.isprintable()
