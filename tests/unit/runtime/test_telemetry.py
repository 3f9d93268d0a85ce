"""What a worker shows: metrics of its batches and its lag, health and readiness, over HTTP."""

import json
import logging
import sys
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from commands.transactions.correlation import CORRELATION
from eventlog.batch import Batch
from runtime.telemetry.logs import JsonLines
from runtime.telemetry.server import telemetry_server
from runtime.telemetry.worker_metrics import WorkerMetrics

RECORDS: list[tuple[int, bytes | None, bytes | None]] = [(3, b"k", b"v"), (4, b"k", b"v")]


def _worker(**given: Any) -> Any:
    positions, ends = {("t", 0): 5, ("t", 1): 9}, {("t", 0): 12, ("t", 1): 8}
    return SimpleNamespace(positions=positions, ends=ends, unassigned=False, **given)


def _shown(metrics: WorkerMetrics) -> dict[str, float]:
    with (
        telemetry_server("127.0.0.1", 0, metrics.registry, lambda: True) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        text = client.get("/metrics").text
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return {
        " ".join([sample.name, *(v for k, v in sorted(sample.labels.items()) if k != "worker")]): (
            sample.value
        )
        for sample in samples
        if sample.labels.get("worker") == "features"
    }


def test_batches_waits_and_lag_are_shown_under_the_name_of_the_worker() -> None:
    metrics = WorkerMetrics("features")
    metrics.show(cast(Any, _worker()))
    metrics.handled([Batch("t", 0, RECORDS, 12), Batch("t", 1, RECORDS, 8)], 0.3)
    metrics.waited()
    metrics.set_aside()
    metrics.assigned()
    found = _shown(metrics)
    assert found["retrace_worker_records_total t"] == 4
    assert found["retrace_worker_batch_seconds_count t"] == 1
    assert found["retrace_worker_batch_seconds_sum t"] == pytest.approx(0.3)
    assert found["retrace_worker_position 0 t"] == 5
    assert found["retrace_worker_lag_records 0 t"] == 7
    # What it has handled is in the log, whatever it was told of its end before.
    assert found["retrace_worker_lag_records 1 t"] == 0
    assert found["retrace_worker_log_end 1 t"] == 9
    assert found["retrace_worker_unassigned"] == 0
    for name in ("waits", "dead_lettered", "assignments"):
        assert found[f"retrace_worker_{name}_total"] == 1


def test_counters_are_there_before_anything_happened() -> None:
    found = _shown(WorkerMetrics("features"))
    assert found["retrace_worker_dead_lettered_total"] == 0


def test_it_is_ready_once_it_has_partitions_and_healthy_before() -> None:
    ready = False
    with (
        telemetry_server("127.0.0.1", 0, CollectorRegistry(), lambda: ready) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 503
        ready = True
        assert client.get("/ready").status_code == 200
        assert client.get("/nothing").status_code == 404


def test_a_port_that_is_taken_is_told() -> None:
    with (
        telemetry_server("127.0.0.1", 0, CollectorRegistry(), bool) as port,
        pytest.raises(OSError, match="in use"),
        telemetry_server("127.0.0.1", port, CollectorRegistry(), bool),
    ):
        pass


def test_a_line_of_json_names_process_transaction_and_trouble() -> None:
    lines = JsonLines("api")
    record = logging.LogRecord("retrace", logging.ERROR, __file__, 1, "no %s", ("answer",), None)
    assert "correlation_id" not in json.loads(lines.format(record))
    token = CORRELATION.set("fraud.transaction.submitted/t-1")
    try:
        raise ValueError("wrong")
    except ValueError:
        record.exc_info = sys.exc_info()
    found = json.loads(lines.format(record))
    CORRELATION.reset(token)
    assert (found["process"], found["level"], found["message"]) == ("api", "ERROR", "no answer")
    assert found["correlation_id"] == "fraud.transaction.submitted/t-1"
    assert "ValueError: wrong" in found["exception"]
