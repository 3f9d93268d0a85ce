"""A flat file gives the same frame as its import into the log and a replay of the log."""

import json
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.errors import InvalidInputError
from domain.features import CATALOGUE
from domain.features.payments import MATURITIES, Payments
from domain.times import HOUR, to_rfc3339
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.topics import TRANSACTIONS
from inference.artefacts.store import ArtefactStore
from inference.frame.frame import Frame
from operations.log.imports import ImportOptions
from operations.training.file_frame import Cleaning, frame_of_file, usual_label
from operations.training.log_frame import frame_of
from projections.replay.dataset import dataset
from runtime.composition.intake import cleaner_for_file
from runtime.settings import settings_from_environment
from tests.architecture.tree import ROOT
from tests.builders.import_files import (
    NOW,
    START,
    Rows,
    rows_of,
    run_import,
    write_csv,
    write_ndjson,
    write_parquet,
)


def nothing(*_: object) -> None:
    pass


@pytest.fixture
def cleaning(tmp_path: Path) -> Cleaning:
    return cleaner_for_file(settings_from_environment(state_dir=tmp_path / "state"), None)


def trying() -> Rows:
    """Ties in time, rows out of order, a repeated id, rows that cannot be taken, missing labels."""
    rows = [row | {"customer_id": f"c{n % 4}"} for n, row in enumerate(rows_of(400))]
    for n in range(0, 400, 7):
        rows[n]["timestamp"] = rows[n - n % 14]["timestamp"]
    rows[100], rows[130] = rows[130], rows[100]
    rows[50]["transaction_id"] = rows[40]["transaction_id"]
    rows[60]["amount"] = -3.0
    rows[70]["timestamp"] = "2024-13-01T00:00:00Z"
    for n in range(90, 120):
        rows[n]["fraud"] = None
    return rows


def through_the_log(path: Path, archive: Path, moment: int) -> Frame:
    log = run_import(path, label="fraud").log
    ends = [len(log._partitions(TRANSACTIONS)[p]) for p in range(TRANSACTIONS.partitions)]
    events = History(log, ArchiveFolder(str(archive), TRANSACTIONS), ends).events()
    made = dataset(events, CATALOGUE, as_known_at=moment, maturities=MATURITIES)
    return frame_of(made, moment)


def same(one: Frame, other: Frame) -> bool:
    """Every array to the bit, and all else by value."""

    def plain(frame: Frame) -> list[Any]:
        parts = [getattr(frame, field.name) for field in fields(Frame) if field.name != "payments"]
        assert frame.payments is not None
        parts += [getattr(frame.payments, field.name) for field in fields(Payments)]
        return [
            (part.dtype.str, part.shape, part.tobytes()) if isinstance(part, np.ndarray) else part
            for part in parts
        ]

    return plain(one) == plain(other)


@pytest.mark.parametrize("write", [write_csv, write_ndjson, write_parquet])
@pytest.mark.parametrize("days", [30, 60, 152])
def test_the_frame_of_a_file_is_that_of_its_import_bit_for_bit(
    tmp_path: Path, cleaning: Cleaning, write: Any, days: int
) -> None:
    path = write(tmp_path / "history.csv", trying())  # its content decides the format
    moment = START + days * 24 * HOUR
    assert moment <= NOW
    wanted = through_the_log(path, tmp_path / "archive", moment)
    frame, _ = frame_of_file(
        ImportOptions(file=path, label="fraud"), cleaning, moment, nothing, nothing
    )
    assert len(frame) > 100
    assert same(frame, wanted)


def test_rejected_rows_are_counted_and_named(tmp_path: Path, cleaning: Cleaning) -> None:
    path = write_csv(tmp_path / "history.csv", trying())
    file = ImportOptions(file=path, label="fraud")
    frame, made = frame_of_file(file, cleaning, NOW, nothing, nothing)
    assert (made.summary.rows, made.summary.rejected, len(frame)) == (400, 3, 397)
    assert made.summary.rejected_fields == {"transaction_id": 1, "amount": 1, "timestamp": 1}
    lines = [json.loads(line) for line in made.rejects_path.read_text().splitlines()]
    assert [each["line"] for each in lines] == [52, 62, 72]


def test_a_file_without_an_accepted_row_says_why(tmp_path: Path, cleaning: Cleaning) -> None:
    rows = [row | {"timestamp": "2024-01-01"} for row in rows_of(3)]
    path = write_csv(tmp_path / "history.csv", rows)
    with pytest.raises(InvalidInputError, match=r"3 of 3 rows rejected \(timestamp 3\).*rejects"):
        frame_of_file(ImportOptions(file=path, label="fraud"), cleaning, NOW, nothing, nothing)


def test_a_label_is_unknown_before_its_delay_has_passed(tmp_path: Path, cleaning: Cleaning) -> None:
    path = write_csv(tmp_path / "history.csv", rows_of(100))
    moment = START + 10 * 24 * HOUR
    for delay, labelled in (("7d", 13), ("1d", 37), ("30d", 0)):
        file = ImportOptions(file=path, label="fraud", label_delay=delay)
        frame, _ = frame_of_file(file, cleaning, moment, nothing, nothing)
        assert len(frame) == 41
        assert int((~np.isnan(frame.labels)).sum()) == labelled


def test_the_usual_names_of_labels_are_found_and_others_are_asked_for(tmp_path: Path) -> None:
    rows = rows_of(3)
    assert usual_label(write_csv(tmp_path / "a.csv", rows)) == "fraud"
    renamed = [{**row, "is_fraud": row["fraud"]} for row in rows]
    for row in renamed:
        del row["fraud"]
    assert usual_label(write_parquet(tmp_path / "b.parquet", renamed)) == "is_fraud"
    for row in renamed:
        del row["is_fraud"]
    with pytest.raises(InvalidInputError, match="--label: name the column"):
        usual_label(write_csv(tmp_path / "c.csv", renamed))
    assert usual_label(tmp_path / "c.csv", "paysim") is None


def learnable(count: int) -> Rows:
    rows = rows_of(count, HOUR)
    for n, row in enumerate(rows):
        row["fraud"] = int(n % 10 == 3)
        row["amount"] = 900.25 + n % 91 if row["fraud"] else 5.5 + n % 83
        row["timestamp"] = to_rfc3339(START + n * HOUR)
    return rows


def retraining(path: Path, state: Path) -> subprocess.Popen[str]:
    # From another folder, as a user may; the environment names no server.
    return subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "retrain_model.py"), "--dataset-path", str(path),
         "--json"],
        cwd=state.parent, env={"RETRACE_STATE_DIR": str(state), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # What runs in the background of a shell ignores it, and so would we.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def retrained(path: Path, state: Path) -> dict[str, Any]:
    with retraining(path, state) as process:
        out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert "models register" in err
    assert not list((state / "training-from-files").iterdir())
    output: dict[str, Any] = json.loads(out)
    return output


@pytest.mark.timeout(900)  # four trainings, beside all other tests
def test_csv_and_parquet_give_the_same_model_without_server_and_interrupted(tmp_path: Path) -> None:
    rows = learnable(700)
    path = write_csv(tmp_path / "history.csv", rows)
    with retraining(path, tmp_path / "one") as process:
        assert process.stderr is not None
        assert any("20 of 90 trees" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        assert "the same command continues" in process.stderr.read()
        assert process.wait(60) == 130
    (run,) = (tmp_path / "one" / "training-from-files").glob("*/run.json")
    first = retrained(path, tmp_path / "one")
    assert not run.exists()
    second = retrained(write_parquet(tmp_path / "history.parquet", rows), tmp_path / "two")
    assert first["model_hash"] == second["model_hash"]
    assert (first["rows"], first["accepted"], first["rejected"]) == (700, 700, 0)
    store = ArtefactStore(tmp_path / "one" / "models")
    assert store.open(first["model_hash"]).manifest.model_id == first["model_id"]
    assert store.find(first["model_id"]) == store.find(first["model_hash"][:8])


@pytest.mark.parametrize("options", [["--map", "card_id=NO_SUCH"], ["--mapping", "cards.yaml"]])
def test_a_column_that_is_not_in_the_file_is_named(tmp_path: Path, options: list[str]) -> None:
    path = write_csv(tmp_path / "history.csv", learnable(50))
    (tmp_path / "cards.yaml").write_text("fields: {card_id: NO_SUCH}\nlabel: {column: fraud}\n")
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "retrain_model.py"), "--dataset-path", str(path),
         *options],
        cwd=tmp_path, env={"RETRACE_STATE_DIR": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "NO_SUCH" in done.stderr
    assert "Traceback" not in done.stderr
