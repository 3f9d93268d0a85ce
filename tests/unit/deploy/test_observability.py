"""Rules and dashboards: made from what is committed, over metrics that exist, with runbooks."""

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from api.health_metrics import _FIGURES
from api.metrics import Metrics
from api.replay_metrics import COMPARED, DIFFERENT, PROVEN
from api.serving.gate import Gate
from eventlog.batch import Batch
from eventlog.topics import TRANSACTIONS
from runtime.telemetry.worker_metrics import WorkerMetrics
from tests.architecture.references import _headings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "observability"
_METRIC = re.compile(r"\b(?:retrace_|process_)\w+|\bretrace:[\w:]+")
_SELECTED = re.compile(r'"[^"]*"')
_SUFFIXES = ("_bucket", "_count", "_sum")


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location("observability_generate", FOLDER / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    files = [FOLDER / "rules" / name for name in ("slo.yaml", "alerts.yaml")]
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def known(rules: list[dict[str, Any]]) -> set[str]:
    """All names that a process of ours shows, and those that rules record."""
    ledger = cast(Any, SimpleNamespace(ends=lambda: [0], void=0))
    owner = cast(Any, SimpleNamespace(serving=set))
    worker = WorkerMetrics("features")
    worker.show(cast(Any, SimpleNamespace(positions={}, ends={}, unassigned=False)))
    worker.handled([Batch("t", 0, [(0, None, None)], 1)], 0.1)
    registries = [Metrics(ledger, owner, Gate(1, 1, 1.0)).registry, worker.registry]
    families = [family for each in registries for family in each.collect()]
    found = {f"{f.name}_total" if f.type == "counter" else f.name for f in families}
    health = {name for name, _ in _FIGURES.values()}
    health |= {"retrace_model_health", "retrace_model_health_measured_seconds"}
    health |= {COMPARED, DIFFERENT, PROVEN}
    return found | health | {rule["record"] for rule in rules if "record" in rule}


def test_what_is_made_from_python_is_committed_as_it_is_made(generator: ModuleType) -> None:
    made = generator.files()
    assert len(made) == 5
    assert [path for path, text in made.items() if path.read_text() != text] == []


def test_rules_and_panels_ask_for_metrics_that_exist(
    rules: list[dict[str, Any]], known: set[str]
) -> None:
    asked = [rule["expr"] for rule in rules] + [query for _, query in _panels()]
    assert len(asked) > 70
    assert {name for query in asked for name in _names(query)} - known == set()


@pytest.mark.parametrize("wrong", ["rate(retrace_decision_total[5m])", "retrace:lag:record"])
def test_a_planted_name_is_caught(wrong: str, known: set[str]) -> None:
    assert _names(wrong) - known


def test_the_rule_about_owners_counts_all_partitions(rules: list[dict[str, Any]]) -> None:
    [rule] = [each for each in rules if each.get("alert") == "RetracePartitionsUnserved"]
    assert rule["expr"] == f"sum(retrace_partitions_served) < {TRANSACTIONS.partitions}"


def test_every_alert_has_a_section_of_the_runbooks(rules: list[dict[str, Any]]) -> None:
    alerts = [rule for rule in rules if "alert" in rule]
    headings = _headings(ROOT / "docs" / "runbooks.md")
    for rule in alerts:
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}
    assert {rule["alert"].lower() for rule in alerts} == {
        each for each in headings if each.startswith("retrace")
    }


def test_panels_do_not_overlap_and_say_where_their_data_is_from() -> None:
    for board in _dashboards():
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
            assert not cells & taken, panel["title"]
            assert at["x"] + at["w"] <= 24
            taken |= cells
            assert panel["datasource"]["uid"] == _source()["uid"]


def _names(query: str) -> set[str]:
    """Metrics of a query, histograms by their own name."""
    found = set(_METRIC.findall(_SELECTED.sub("", query)))
    return {name[: -len(suffix)] if (suffix := _suffix(name)) else name for name in found}


def _suffix(name: str) -> str:
    return next((each for each in _SUFFIXES if name.endswith(each)), "")


def _panels() -> list[tuple[str, str]]:
    return [
        (panel["title"], target["expr"])
        for board in _dashboards()
        for panel in board["panels"]
        for target in panel["targets"]
    ]


def _dashboards() -> list[dict[str, Any]]:
    files = sorted((FOLDER / "grafana" / "dashboards").glob("*.json"))
    return [json.loads(file.read_text()) for file in files]


def _source() -> dict[str, Any]:
    file = FOLDER / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
    [source] = yaml.safe_load(file.read_text())["datasources"]
    return dict(source)
