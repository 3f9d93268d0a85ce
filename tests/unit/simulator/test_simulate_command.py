"""`retrace simulate`: all file kinds agree, stdout is a stream, errors name the option."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import typer
from typer.testing import CliRunner, Result

from cli.simulate import simulate
from domain.cleaning.cards import CardToken
from domain.cleaning.changes import changed_fields
from domain.cleaning.transaction import clean_transaction
from domain.money import approximate_rates
from simulator.output.submission import to_submission
from simulator.population.currencies import CURRENCIES
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation

SMALL = ["--customers", "200", "--merchants", "50", "--per-day", "300", "--seed", "4"]
CANONICAL = [
    *("transaction_id", "timestamp", "amount", "currency", "card_id", "customer_id"),
    *("merchant_id", "mcc", "device_id", "ip", "country", "lat", "lon", "channel", "attributes"),
]
# The interpreter runs the command as the CLI does: the function mounted in a Typer app.
PROGRAM = (
    "import typer; from cli.simulate import simulate; "
    "app = typer.Typer(); app.command()(simulate); app()"
)


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(simulate)
    return CliRunner().invoke(app, [*SMALL, *map(str, arguments)])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_parquet_holds_canonical_columns_and_fraud(tmp_path: Path) -> None:
    out = tmp_path / "x.parquet"
    assert run("--days", "3", "--out", out).exit_code == 0
    table = pyarrow.parquet.read_table(out)
    assert table.column_names == [*CANONICAL, "fraud"]
    expected = [
        tx
        for day in Simulation(SimulationSettings(4, customers=200, merchants=50, per_day=300)).days(
            3
        )
        for tx in day.transactions()
    ]
    rows = table.to_pylist()
    assert [row["transaction_id"] for row in rows] == [tx.transaction_id for tx in expected]
    assert [row["fraud"] for row in rows] == [int(tx.fraud) for tx in expected]
    for row, tx in zip(rows, expected, strict=True):
        assert round(row["amount"] * 10 ** CURRENCIES[tx.currency].exponent) == tx.amount
        assert json.loads(row["attributes"]) == tx.attributes


def test_files_of_all_formats_hold_the_same(tmp_path: Path) -> None:
    for suffix in ("csv", "ndjson", "parquet"):
        assert run("--days", "2", "--out", tmp_path / f"x.{suffix}").exit_code == 0
    table = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    text = {"mcc": pa.string(), "attributes": pa.string()}
    options = pyarrow.csv.ConvertOptions(column_types=text, strings_can_be_null=True)
    from_csv = pyarrow.csv.read_csv(tmp_path / "x.csv", convert_options=options)
    for name in ("transaction_id", "amount", "mcc", "ip", "attributes", "lat"):
        assert from_csv[name].to_pylist() == table[name].to_pylist()
    from_lines = lines(tmp_path / "x.ndjson")
    for name in ("transaction_id", "amount", "device_id", "fraud"):
        assert [row.get(name) for row in from_lines] == table[name].to_pylist()


def test_stdout_holds_submissions_and_never_the_truth(tmp_path: Path) -> None:
    result = run("--days", "1", "--id-prefix", "run2-")
    bodies = [json.loads(line) for line in result.stdout.splitlines()]
    settings = SimulationSettings(4, customers=200, merchants=50, per_day=300, id_prefix="run2-")
    expected = [to_submission(tx) for tx in Simulation(settings).day(0).transactions()]
    assert bodies == expected
    assert all(set(body) <= set(CANONICAL) for body in bodies)


def test_submissions_have_exact_major_amounts_and_utc_times() -> None:
    day = Simulation(SimulationSettings(2, customers=500, per_day=3_000)).day(0)
    seen = set()
    for tx in day.transactions():
        body = to_submission(tx)
        exponent = CURRENCIES[tx.currency].exponent
        seen.add(exponent)
        whole, _, decimals = json.dumps(body["amount"]).partition(".")
        assert int(whole + decimals[:exponent].ljust(exponent, "0")) == tx.amount
        assert len(decimals) <= max(exponent, 1)
        assert body["timestamp"].endswith("Z")
        assert "fraud" not in body
    assert seen == {0, 2, 3}


def test_cleaning_changes_nothing_of_a_submission() -> None:
    def refuse(number: str) -> CardToken:
        raise AssertionError(f"{number} was taken for a card number")

    for tx in Simulation(SimulationSettings(2, per_day=3_000)).day(0).transactions():
        body = to_submission(tx)
        now, rates = tx.timestamp, approximate_rates()
        cleaned = clean_transaction(body, now=now, tokenise=refuse, rates=rates)
        assert changed_fields(body, cleaned) == []
        for name in CANONICAL:
            assert getattr(cleaned, name) == getattr(tx, name)


def test_labels_are_written_in_the_order_they_become_known(tmp_path: Path) -> None:
    labels = tmp_path / "l.ndjson"
    assert run("--days", "40", "--out", tmp_path / "x.parquet", "--labels", labels).exit_code == 0
    rows = lines(labels)
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)
    ids = set(pyarrow.parquet.read_table(tmp_path / "x.parquet")["transaction_id"].to_pylist())
    assert {row["transaction_id"] for row in rows} <= ids
    assert run("--days", "40", "--out", tmp_path / "x.csv", "--labels", tmp_path / "l.csv")
    table = pyarrow.csv.read_csv(tmp_path / "l.csv")
    assert table.num_rows == len(rows) > 50
    assert table.column_names == list(rows[0])


def test_processes_with_other_hash_seeds_write_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for hash_seed in ("1", "2"):
        environment = {
            **os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONHASHSEED": hash_seed
        }  # fmt: skip
        command = [sys.executable, "-c", PROGRAM, *SMALL, "--days", "2"]
        done = subprocess.run(command, env=environment, check=True, capture_output=True)
        written.append(done.stdout)
    assert written[0] == written[1] != b""


def test_the_rate_limits_output_in_real_time() -> None:
    begun = time.monotonic()
    result = run("--days", "1", "--rate", "1000")
    count = len(result.stdout.splitlines())
    assert time.monotonic() - begun >= 0.9 * (count - 100) / 1000


def test_endless_run_ends_quietly_when_its_reader_has_enough() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *SMALL, "--endless"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stderr
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(60) == 0
    assert first["transaction_id"] == "sim-00000-000000"
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--out", "x.txt"), "--out"),
        (("--days", "1", "--endless"), "--endless"),
        (("--start", "yesterday"), "--start"),
        (("--merchants", "2"), "merchants"),
        (("--fraud-rate", "0.9"), "fraud_rate"),
        (("--out", "/nonexistent/x.csv"), "/nonexistent/x.csv"),
    ],
)
def test_errors_name_what_is_wrong(arguments: tuple[str, ...], named: str) -> None:
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    assert named in result.stderr


def test_mounting_the_command_does_not_load_numpy() -> None:
    program = "import sys, cli.simulate; sys.exit('numpy' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    assert subprocess.run([sys.executable, "-c", program], env=environment).returncode == 0
