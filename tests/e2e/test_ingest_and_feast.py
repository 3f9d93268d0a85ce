"""History from a file with foreign column names, then read with Feast's own SDK and CLI."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.e2e.stack import ROOT, RunningStack, eventually, rows

ROWS = 400
START = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)

# Run with the exports of `retrace env` alone, as a data scientist would.
READ_WITH_SDK = """
import json, sys
from feast import FeatureStore
store = FeatureStore(repo_path="feature_repo")
service = store.get_feature_service("scoring")
online = store.get_online_features(
    features=service,
    entity_rows=[json.loads(sys.argv[1])],
).to_dict()
frame = store.get_historical_features(
    entity_df="SELECT transaction_id, event_timestamp FROM feature_vectors "
              "WHERE transaction_id LIKE 'hist-%'",
    features=store.get_feature_service("training"),
).to_df()
print(json.dumps({"online": online, "rows": len(frame), "columns": list(frame.columns),
                  "counts": sorted(frame["payer_count_30d"].dropna().tolist())[-3:]}))
"""


@pytest.fixture(scope="module")
def history(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "history.parquet"
    pd.DataFrame(
        {
            "TX_ID": [f"hist-{n}" for n in range(ROWS)],
            "TX_TIME": [(START + timedelta(minutes=n)).replace(tzinfo=None) for n in range(ROWS)],
            "WHO": [f"hist-customer-{n % 5}" for n in range(ROWS)],
            "WHERE_": [f"hist-merchant-{n % 3}" for n in range(ROWS)],
            "HOW_MUCH": [n / 100 if n else 0.0 for n in range(ROWS)],
            "FRAUD": [int(n % 50 == 7) for n in range(ROWS)],
        }
    ).to_parquet(path)
    return path


def test_rows_ingested_twice_are_projected_exactly_once(stack: RunningStack, history: Path) -> None:
    maps = {
        "transaction_id": "TX_ID",
        "timestamp": "TX_TIME",
        "customer_id": "WHO",
        "merchant_id": "WHERE_",
        "amount": "HOW_MUCH",
    }
    options = [o for field, column in maps.items() for o in ("--map", f"{field}={column}")]
    for _ in range(2):
        done = stack.retrace(
            *("ingest", str(history), *options),
            *("--label", "FRAUD", "--label-delay", "7d", "--json"),
        )
        summary = json.loads(done.stdout)
        assert (summary["rows"], summary["accepted"], summary["rejected"]) == (ROWS, ROWS, 0)

    asked = (
        "SELECT count(*), count(DISTINCT transaction_id), min(amount), count(*) FILTER "
        "(WHERE origin = 'imported') FROM transactions WHERE transaction_id LIKE 'hist-%'"
    )
    eventually(lambda: rows(stack, asked) == [(ROWS, ROWS, 0, ROWS)], within=60)
    labels = "SELECT sum(value), count(*) FROM current_labels WHERE transaction_id LIKE 'hist-%' "
    eventually(lambda: rows(stack, labels) == [(ROWS // 50, ROWS)], within=60)


def test_feast_reads_online_and_builds_a_training_frame(stack: RunningStack, history: Path) -> None:
    asked = "SELECT count(*) FROM feature_vectors WHERE transaction_id LIKE 'hist-%'"
    eventually(lambda: rows(stack, asked) == [(ROWS,)], within=90)
    exports = stack.retrace("env").stdout
    at = int((START + timedelta(hours=12)).timestamp()) * 1_000_000
    row = {
        "card_id": "",
        "payer_id": "hist-customer-1",
        "merchant_id": "hist-merchant-1",
        "device_id": "",
        "ip": "",
        "timestamp": at,
        "base_amount": 1000,
        "country": "",
        "channel": "",
        "lat": float("nan"),
        "lon": float("nan"),
    }
    script = f'{exports}\nexec "$0" -c "$1" "$2"'
    done = stack.run("sh", "-c", script, sys.executable, READ_WITH_SDK, json.dumps(row))
    assert done.returncode == 0, done.stderr[-2000:]
    read = json.loads(done.stdout.splitlines()[-1])
    assert read["rows"] == ROWS
    assert {"transaction_id", "merchant_count_1h"} <= set(read["columns"])
    assert read["counts"][-1] == ROWS // 5 - 1
    assert read["online"]["payer_count_30d"] == [ROWS // 5]


def test_the_feast_command_works_in_the_repository(stack: RunningStack) -> None:
    exports = stack.retrace("env").stdout
    feast = Path(sys.executable).parent / "feast"
    script = f'{exports}\nexec "$0" feature-views list'
    done = stack.run("sh", "-c", script, str(feast), folder=ROOT / "feature_repo")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "payer_state" in done.stdout
