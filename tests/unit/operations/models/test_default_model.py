"""Default model: made once, and promoted only where no model in force can serve."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from commands.models.lifecycle import promote_model, retire_model
from commands.policy.topic import current_policy
from domain.events import ModelPromoted, ModelRetired, Thresholds
from domain.features import CATALOGUE
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import POLICY
from inference.artefacts.manifest import FORMAT, Calibration, Manifest, Probe
from inference.artefacts.store import FOREST, GRAPH, MANIFEST, ArtefactStore
from inference.frame.progress import Progress
from operations.models.default_model import ensure

THRESHOLDS = Thresholds(review=0.1, step_up=0.2, decline=0.3)
NOW = 1_700_000_000_000_000


class Maker:
    """Makes files without training, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, progress: Progress) -> Mapping[str, bytes]:
        self.calls += 1
        progress(1.0, "made")
        manifest = Manifest(
            format=FORMAT,
            model_id="default",
            feature_set=CATALOGUE.hash,
            feature_names=list(CATALOGUE.names),
            feature_definitions=[feature.definition for feature in CATALOGUE.features],
            baseline=[None] * len(CATALOGUE.names),
            calibration=Calibration(1.0, 0.0),
            thresholds=THRESHOLDS,
            probe=Probe([], []),
            facts={},
        )
        return {GRAPH: b"graph", MANIFEST: manifest.to_json(), FOREST: b"trees"}


@pytest.fixture
def log() -> InMemoryEventLog:
    return InMemoryEventLog()


@pytest.fixture
def make() -> Maker:
    return Maker()


def run(log: InMemoryEventLog, models: Path, make: Maker) -> str:
    return ensure(log, ArtefactStore(models), lambda: NOW, lambda _text: None, make)


def test_the_first_start_puts_a_model_and_its_thresholds_in_force(
    log: InMemoryEventLog, tmp_path: Path, make: Maker
) -> None:
    assert run(log, tmp_path, make) == "default"
    policy = current_policy(log)
    assert policy.model is not None
    assert policy.model.feature_set == CATALOGUE.hash
    assert policy.thresholds == THRESHOLDS
    assert ArtefactStore(tmp_path).holds(policy.model.model_hash)


def test_further_starts_change_nothing(log: InMemoryEventLog, tmp_path: Path, make: Maker) -> None:
    run(log, tmp_path, make)
    before = [recorded.value for recorded in log.read(POLICY)]
    assert run(log, tmp_path, make) == "default"
    assert [recorded.value for recorded in log.read(POLICY)] == before
    assert make.calls == 1


def test_a_new_log_gets_the_model_made_before(tmp_path: Path, make: Maker) -> None:
    run(InMemoryEventLog(), tmp_path, make)
    other = InMemoryEventLog()
    run(other, tmp_path, make)
    assert make.calls == 1
    assert current_policy(other).model is not None


def test_a_lost_artefact_is_made_again(log: InMemoryEventLog, tmp_path: Path, make: Maker) -> None:
    run(log, tmp_path, make)
    promoted = current_policy(log).model
    assert promoted is not None
    shutil.rmtree(tmp_path / promoted.model_hash)
    run(log, tmp_path, make)
    assert make.calls == 2
    assert ArtefactStore(tmp_path).holds(promoted.model_hash)


def test_an_unfit_model_is_replaced(log: InMemoryEventLog, tmp_path: Path, make: Maker) -> None:
    files = dict(make(lambda _done, _text: None))
    manifest = Manifest.from_json(files[MANIFEST])
    others = msgspec.structs.replace(manifest, feature_definitions=["x"] * len(CATALOGUE))
    model_hash = ArtefactStore(tmp_path).put({**files, MANIFEST: others.to_json()})
    older = ModelPromoted(model_id="older", model_hash=model_hash, feature_set="an older set")
    promote_model(log, older, THRESHOLDS, NOW)
    assert run(log, tmp_path, make) == "default"
    promoted = current_policy(log).model
    assert promoted is not None
    assert promoted.feature_set == CATALOGUE.hash


def test_retired_defaults_stay_retired(log: InMemoryEventLog, tmp_path: Path, make: Maker) -> None:
    run(log, tmp_path, make)
    first = current_policy(log)
    assert first.model is not None
    promote_model(
        log, ModelPromoted(model_id="gone", model_hash="9", feature_set="f"), THRESHOLDS, NOW
    )
    name, model_hash = first.model.model_id, first.model.model_hash
    retire_model(log, ModelRetired(model_id=name, model_hash=model_hash, reason="worse"), NOW)
    assert run(log, tmp_path, make) == ""
    assert current_policy(log).model == replace(
        ModelPromoted(model_id="gone", model_hash="9", feature_set="f"), thresholds=THRESHOLDS
    )


def test_a_trained_model_stays_in_force(log: InMemoryEventLog, tmp_path: Path, make: Maker) -> None:
    model_hash = ArtefactStore(tmp_path).put(make(lambda _done, _text: None))
    trained = ModelPromoted(model_id="trained", model_hash=model_hash, feature_set=CATALOGUE.hash)
    promote_model(log, trained, THRESHOLDS, NOW)
    assert run(log, tmp_path, make) == "trained"
    assert current_policy(log).model == replace(trained, thresholds=THRESHOLDS)


def test_going_back_to_an_earlier_model_is_a_fact_of_its_own(log: InMemoryEventLog) -> None:
    first, second = (
        ModelPromoted(model_id=name, model_hash=name, feature_set="f") for name in ("a", "b")
    )
    for model in (first, second, first):
        promote_model(log, model, THRESHOLDS, NOW)
    assert current_policy(log).model == replace(first, thresholds=THRESHOLDS)
    assert current_policy(log).version == 2
