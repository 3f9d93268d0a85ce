"""A deciding process loads the model in force into the scorer of its settings."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commands.models.lifecycle import promote_model
from domain.events import ModelPromoted
from eventlog.in_memory import InMemoryEventLog
from inference.artefacts.store import FILES, Artefact, ArtefactStore
from inference.serving.model_server import served_version
from inference.training.saved_model import write_saved_model
from runtime.composition.deciding.context import open_context
from runtime.settings import Settings, settings_from_environment
from tests.e2e.stack import free_port
from tests.fixtures.tf_serving import Servables, serving_grpc, serving_rest


def settings_of(state_dir: Path, **scoring: Any) -> Settings:
    """Of an installation whose stores are all away: loading a model needs none of them."""
    return settings_from_environment(
        state_dir=state_dir,
        kafka_bootstrap_servers=f"127.0.0.1:{free_port()}",
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
        database_url=f"postgresql://a:b@127.0.0.1:{free_port()}/x",
        mongodb_url=f"mongodb://127.0.0.1:{free_port()}/x",
        **scoring,
    )


@pytest.fixture
def log(of_catalogue: Artefact) -> InMemoryEventLog:
    """A log in which the model is in force."""
    log, manifest = InMemoryEventLog(), of_catalogue.manifest
    model = ModelPromoted(
        model_id=manifest.model_id,
        model_hash=of_catalogue.model_hash,
        feature_set=manifest.feature_set,
    )
    promote_model(log, model, manifest.thresholds, 0)
    return log


@pytest.fixture
def state_dir(of_catalogue: Artefact, tmp_path: Path) -> Path:
    contents = (of_catalogue.graph, of_catalogue.manifest.to_json(), of_catalogue.forest)
    store = ArtefactStore(tmp_path / "state" / "models")
    assert store.put(dict(zip(FILES, contents, strict=True))) == of_catalogue.model_hash
    return tmp_path / "state"


def fingerprint(settings: Settings, log: InMemoryEventLog) -> str | None:
    with closing(log), open_context(settings, "test", log) as context:
        scorer = context.policy().scorer
        return scorer.fingerprint if scorer else None


@pytest.mark.parametrize("kind", ["litert", "tensorflow"])
def test_a_framework_in_process(kind: Any, log: InMemoryEventLog, state_dir: Path) -> None:
    found = fingerprint(settings_of(state_dir, scorer=kind), log)
    assert found is not None
    assert found.startswith(f"{kind}-")


@pytest.mark.parametrize(
    ("kind", "running"), [("tf-serving-grpc", serving_grpc), ("tf-serving-rest", serving_rest)]
)
def test_a_model_server_and_the_name_it_has_there(
    kind: Any, running: Any, log: InMemoryEventLog, state_dir: Path, of_catalogue: Artefact,
    tmp_path: Path,
) -> None:  # fmt: skip
    version = served_version(of_catalogue.model_hash)
    write_saved_model(of_catalogue, tmp_path / "served" / "fraud" / str(version))
    with running(Servables(tmp_path / "served")) as url:
        chosen = settings_of(state_dir, scorer=kind, tf_serving_url=url, tf_serving_model="fraud")
        assert fingerprint(chosen, log) == f"{kind}/fraud/{version}"


def test_a_server_that_is_away_leaves_the_process_running_without_a_model(
    log: InMemoryEventLog, state_dir: Path
) -> None:
    url = f"grpc://127.0.0.1:{free_port()}"
    chosen = settings_of(state_dir, scorer="tf-serving-grpc", tf_serving_url=url)
    assert fingerprint(chosen, log) is None
