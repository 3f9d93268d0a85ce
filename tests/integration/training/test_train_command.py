"""`retrace train` turns history in PostgreSQL into a stored model and says which."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import psycopg
import pytest
import typer
from psycopg import sql
from typer.testing import CliRunner

from domain.features import CATALOGUE
from domain.times import DAY, to_datetime, to_rfc3339
from inference.adapters.litert import load
from inference.artefacts import ArtefactStore
from runtime.cli.train import train
from runtime.settings import Settings
from tests.unit.inference.synthetic import synthetic

START = 1_700_000_000_000_000


@pytest.fixture
def history(database_url: str) -> int:
    """Stores made-up payments, each labelled a week later; returns the time of the last."""
    frame = synthetic(3000)
    names = ("transaction_id", "event_timestamp", "created", "feature_set", *CATALOGUE.names[:6])
    into = sql.SQL("COPY feature_vectors ({}) FROM STDIN").format(
        sql.SQL(", ").join(map(sql.Identifier, names))
    )
    times = [START + int(time) for time in frame.times]
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("TRUNCATE feature_vectors, labels, transactions")
        with connection.cursor() as cursor:
            with cursor.copy(into) as copy:
                for number, (time, vector) in enumerate(zip(times, frame.vectors, strict=True)):
                    at = to_datetime(time)
                    values = [None if np.isnan(value) else float(value) for value in vector]
                    copy.write_row((f"t{number}", at, at, CATALOGUE.hash, *values))
            with cursor.copy("COPY labels FROM STDIN") as copy:
                for number, (time, label) in enumerate(zip(times, frame.labels, strict=True)):
                    known = to_datetime(time + 7 * DAY)
                    name = f"t{number}"
                    copy.write_row(
                        (name, name, int(label), "chargeback", "r", name, known, "x", 0, number)
                    )
    return times[-1]


def test_a_model_is_trained_on_what_was_known_and_stored(
    history: int, database_url: str, servers: Settings, tmp_path: Path
) -> None:
    app = typer.Typer()
    app.command()(train)
    environment = servers.environment() | {
        "DATABASE_URL": database_url,
        "RETRACE_STATE_DIR": str(tmp_path),
    }
    moment = to_rfc3339(history)
    result = CliRunner().invoke(
        app, ["--as-known-at", moment, "--no-promote", "--json"], env=environment
    )
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["as_known_at"] == moment
    assert summary["transactions"] == 3000
    # The last week's labels were not known yet.
    assert 2500 < summary["frauds"] + summary["genuine"] < 2800
    assert summary["metrics"]["auc"] > 0.9
    scorer = load(ArtefactStore(tmp_path / "models"), summary["model_hash"])
    assert scorer.model_id == summary["model_id"]
