"""`retrace ingest` as a user runs it, against the real log."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.events import Envelope, RecordDeadLettered, TransactionImported, TransactionLabelled
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.adapters.kafka_admin import ensure_topics
from eventlog.codec import decode
from eventlog.dead_letters import unseal
from eventlog.settings import KafkaSettings
from eventlog.topics import DEAD_LETTERS, TRANSACTIONS, Topic
from runtime.settings import CHECKOUT, Settings
from tests.builders.import_files import rows_of, write_csv, write_ndjson, write_parquet

CARD = "4111 1111 1111 1111"
MAPPING = ("--map", "transaction_id=ID", "--label", "fraud")


@pytest.fixture(scope="module")
def log(servers: Settings) -> Iterator[KafkaEventLog]:
    ensure_topics(servers.kafka())
    log = KafkaEventLog(KafkaSettings(servers.kafka_bootstrap_servers))
    yield log
    log.close()


def command(servers: Settings, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "ingest", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **servers.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ingest(servers: Settings, *arguments: str) -> dict[str, Any]:
    process = command(servers, *arguments, "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    figures: dict[str, Any] = json.loads(out)
    return figures


def events(log: KafkaEventLog, topic: Topic, correlated: str) -> list[Envelope]:
    found = [decode(recorded.value) for recorded in log.read(topic)]
    return [event for event in found if correlated in event.correlation_id]


def dirty_rows(prefix: str) -> list[dict[str, Any]]:
    rows = rows_of(300)
    for row in rows:
        row["ID"] = f"{prefix}-{row.pop('transaction_id')}"
        row["amount"] = str(row["amount"])
    rows[3]["amount"] = "-1"
    rows[4]["timestamp"] = "2024-13-01 00:00:00"
    rows[5]["ID"] = f"  {rows[5]['ID']} "
    rows[6]["note"] = f"paid with {CARD}"
    rows[7]["amount"], rows[7]["note"] = "much", CARD
    rows[8]["ID"] = rows[2]["ID"]
    rows[9]["amount"] = "0"
    return rows


@pytest.mark.parametrize(
    ("suffix", "write"), [("csv", write_csv), ("ndjson", write_ndjson), ("parquet", write_parquet)]
)
def test_a_dirty_file_is_accounted_for_row_by_row(
    servers: Settings, log: KafkaEventLog, tmp_path: Path, suffix: str, write: Any
) -> None:
    path = write(tmp_path / f"dirty.{suffix}", dirty_rows(suffix))
    figures = ingest(servers, str(path), *MAPPING)
    assert (figures["rows"], figures["accepted"], figures["rejected"]) == (300, 296, 4)
    assert (figures["labels"], figures["cleaned"], figures["complete"]) == (296, 1, True)
    assert figures["rejects_file"] == f"{path}.rejects.ndjson"

    entries = [json.loads(line) for line in Path(figures["rejects_file"]).read_text().splitlines()]
    assert [entry["field"] for entry in entries] == [
        "amount", "timestamp", "amount", "transaction_id",
    ]  # fmt: skip
    first_line = 2 if suffix == "csv" else 1
    assert [entry["line"] for entry in entries] == [first_line + row for row in (3, 4, 7, 8)]

    stored = events(log, TRANSACTIONS, path.name)
    kinds = Counter(type(event.data) for event in stored)
    assert kinds == {TransactionImported: 296, TransactionLabelled: 296}
    assert len({event.id for event in stored}) == len(stored)
    labels = [event.data for event in stored if isinstance(event.data, TransactionLabelled)]
    assert {label.value for label in labels} == {0, 1}
    letters = events(log, DEAD_LETTERS, path.name)
    assert all(isinstance(letter.data, RecordDeadLettered) for letter in letters)
    originals = [unseal(letter.data.sealed, servers.dead_letter_key).decode() for letter in letters]
    assert len(originals) == 4
    written = repr(stored) + repr(originals)
    assert "1111 1111" not in written
    assert "41111111" not in written


def test_importing_again_repeats_the_same_events_and_nothing_else(
    servers: Settings, log: KafkaEventLog, tmp_path: Path
) -> None:
    path = write_ndjson(tmp_path / "again.ndjson", rows_of(100))
    ingest(servers, str(path), "--label", "fraud")
    before = events(log, TRANSACTIONS, path.name)
    ingest(servers, str(path), "--label", "fraud")
    after = events(log, TRANSACTIONS, path.name)
    assert len(after) == 2 * len(before) == 400
    assert {event.id: event for event in after} == {event.id: event for event in before}


def test_interrupted_it_says_how_many_rows_are_in(
    servers: Settings, log: KafkaEventLog, tmp_path: Path
) -> None:
    path = write_ndjson(tmp_path / "slow.ndjson", rows_of(300))
    ends = sum(1 for _ in log.read(TRANSACTIONS))
    # Six hours of history take a tenth of a second.
    process = command(servers, str(path), "--rate", str(6 * 3600 * 10), "--json")
    deadline = time.monotonic() + 60
    while sum(1 for _ in log.read(TRANSACTIONS)) < ends + 3 and time.monotonic() < deadline:
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    figures = json.loads(out)
    assert 3 <= figures["accepted"] < 300
    assert not figures["complete"]
    assert f"Interrupted: {figures['accepted']} rows are in" in err
    stored = events(log, TRANSACTIONS, path.name)
    assert len(stored) == figures["accepted"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.csv"], "none.csv does not exist"),
        (["--map", "card=ID"], "possible are transaction_id"),
        (["--map", "transaction_id=NONE"], "it has ID, "),
        (["--label-delay", "soon"], "such as 7d"),
        (["--default-currency", "EURO"], "ISO 4217"),
        (["--rejects", "."], "is a folder"),
    ],
)
def test_a_mistake_is_explained_before_anything_is_sent(
    servers: Settings, tmp_path: Path, arguments: list[str], said: str
) -> None:
    path = write_csv(tmp_path / "a.csv", [{"ID": 1, "timestamp": "x", "amount": 1, "fraud": 1}])
    given = [] if arguments[0].endswith(".csv") else [str(path)]
    mapped = [] if "--map" in arguments else ["--map", "transaction_id=ID"]
    process = command(servers, *given, *mapped, *arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert said in err
    assert out == ""
