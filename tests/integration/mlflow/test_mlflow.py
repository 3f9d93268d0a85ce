"""A model is exported to a real MLflow server and imported from it, verified."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands.models.registry import registry_of
from domain.errors import IntegrityError, NotFoundError, SettingsError, UnavailableError
from eventlog.in_memory import InMemoryEventLog
from inference.artefacts.adapters.mlflow import MlflowServer
from inference.artefacts.store import GRAPH, ArtefactStore
from inference.serving.adapters.litert import LiteRtScorer
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainedModel, TrainSettings, train
from operations.models.lifecycle import Models
from operations.models.mlflow import export_run, import_run
from tests.builders.training_frames import FEATURE_SET, synthetic
from tests.e2e.stack import free_port

ROOT = Path(__file__).parents[3]


def silent(_: str) -> None:
    return


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    settings = TrainSettings(fitting=FitSettings(trees=10), more_seeds=0)
    return train(synthetic(2000), settings, lambda _done, _text: None)


@pytest.fixture
def store(trained: TrainedModel, tmp_path: Path) -> ArtefactStore:
    """Of the installation that gives its model away."""
    made = ArtefactStore(tmp_path / "state" / "models")
    made.put(trained.files)
    return made


@pytest.fixture
def server(mlflow_url: str) -> Iterator[MlflowServer]:
    with MlflowServer(mlflow_url) as opened:
        yield opened


@pytest.fixture
def elsewhere(tmp_path: Path) -> Models:
    """Another installation, which knows no model."""
    log = InMemoryEventLog()
    there = ArtefactStore(tmp_path / "elsewhere")
    return Models(log, there, registry_of(log), lambda named: LiteRtScorer(there.open(named)))


@pytest.fixture
def api(mlflow_url: str) -> Callable[..., Any]:
    """Asks MLflow itself."""

    def ask(path: str, /, **asked: str) -> Any:
        answer = httpx.get(f"{mlflow_url}/api/2.0/mlflow/{path}", params=asked, timeout=30)
        return answer.raise_for_status().json()

    return ask


def test_a_run_holds_parameters_metrics_and_files_of_the_model(
    server: MlflowServer, store: ArtefactStore, trained: TrainedModel, api: Callable[..., Any]
) -> None:
    artefact, run_id = export_run(store, server, "retrace", trained.manifest.model_id, silent)
    run = api("runs/get", run_id=run_id)["run"]
    assert run["info"]["status"] == "FINISHED"
    assert run["info"]["run_name"] == trained.manifest.model_id
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert (tags["model_hash"], tags["feature_set"]) == (artefact.model_hash, FEATURE_SET)
    metrics = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
    assert metrics["average_precision"] == trained.metrics["average_precision"]
    params = {param["key"]: param["value"] for param in run["data"]["params"]}
    assert params["transactions"] == "2000"
    assert params["settings.fitting.trees"] == "10"
    assert float(params["threshold.decline"]) == trained.thresholds.decline
    stored = api("artifacts/list", run_id=run_id, path="retrace")["files"]
    sizes = {file["path"]: int(file["file_size"]) for file in stored}
    assert sizes == {f"retrace/{name}": len(data) for name, data in trained.files.items()}


def test_an_imported_model_is_verified_stored_and_registered(
    server: MlflowServer, store: ArtefactStore, elsewhere: Models
) -> None:
    artefact, run_id = export_run(store, server, "retrace", _only(store), silent)
    found = import_run(elsewhere, server, run_id, silent)
    assert found.model_hash == artefact.model_hash
    assert found.trained is not None
    assert found.trained.transactions == 2000
    assert elsewhere.store.open(found.model_hash).graph == artefact.graph
    assert registry_of(elsewhere.log).policy.model is None
    assert len(registry_of(elsewhere.log).all()) == 1


def test_a_model_that_was_altered_there_is_refused(
    server: MlflowServer, store: ArtefactStore, elsewhere: Models
) -> None:
    artefact, run_id = export_run(store, server, "retrace", _only(store), silent)
    server.put(server.run(run_id), f"retrace/{GRAPH}", artefact.graph[:-1] + b"?")
    with pytest.raises(IntegrityError, match=rf"{artefact.model_hash[:12]}.*altered"):
        import_run(elsewhere, server, run_id, silent)
    assert registry_of(elsewhere.log).all() == []


def test_a_missing_run_or_model_is_named(server: MlflowServer, elsewhere: Models) -> None:
    with pytest.raises(NotFoundError, match="no-such-run"):
        import_run(elsewhere, server, "no-such-run", silent)
    empty = server.begin(server.experiment("others"), "by-hand", {}, 0)
    with pytest.raises(NotFoundError, match=empty.run_id):
        import_run(elsewhere, server, empty.run_id, silent)


def test_a_run_that_cannot_be_finished_is_marked_as_failed(
    server: MlflowServer, store: ArtefactStore, api: Callable[..., Any], mlflow_url: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    made = httpx.post(
        f"{mlflow_url}/api/2.0/mlflow/experiments/create",
        json={"name": "past-the-proxy", "artifact_location": f"file://{tmp_path}/art"},
        timeout=30,
    ).raise_for_status()
    with pytest.raises(SettingsError, match="--artifacts-destination"):
        export_run(store, server, "past-the-proxy", _only(store), silent)
    experiment = made.json()["experiment_id"]
    runs = httpx.post(
        f"{mlflow_url}/api/2.0/mlflow/runs/search",
        json={"experiment_ids": [experiment]},
        timeout=30,
    ).json()["runs"]
    assert [run["info"]["status"] for run in runs] == ["FAILED"]


def test_a_server_that_is_away_is_named_without_its_password(store: ArtefactStore) -> None:
    away = f"http://user:secret@127.0.0.1:{free_port()}"
    with MlflowServer(away) as server, pytest.raises(UnavailableError) as refused:
        export_run(store, server, "retrace", _only(store), silent)
    assert "127.0.0.1" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_the_export_command_prints_the_id_of_the_run(
    store: ArtefactStore, mlflow_url: str, api: Callable[..., Any]
) -> None:
    environment = {
        **os.environ,
        "RETRACE_STATE_DIR": str(store.folder.parent),
        "MLFLOW_TRACKING_URI": mlflow_url,
        "MLFLOW_EXPERIMENT_NAME": "by command",
    }
    command = [sys.executable, "-m", "cli.main", "models", "export", _only(store)]
    done = subprocess.run(
        [*command, "--mlflow", "--json"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    run_id = json.loads(done.stdout)["run_id"]
    assert api("runs/get", run_id=run_id)["run"]["info"]["status"] == "FINISHED"
    refused = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "--to DIR, or --mlflow" in refused.stderr


def _only(store: ArtefactStore) -> str:
    [model] = [path.name for path in store.folder.iterdir()]
    return model
