"""A training promotes its model only where the gate lets it pass; a refusal raises an alert."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from commands.models.lifecycle import promote_model
from commands.models.registry import registry_of
from commands.policy.topic import current_policy
from domain.errors import UnavailableError
from domain.events import ModelAlertRaised, ModelPromoted, Thresholds
from domain.times import DAY
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS
from inference.artefacts.manifest import NO_HISTORY
from inference.artefacts.store import MANIFEST, ArtefactStore
from inference.evaluation.costs import Costs
from inference.frame.frame import Frame
from inference.frame.stored import store_frame, stored_frame
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainedModel, TrainSettings
from operations.training.results import ModelOutput, TrainingResult
from operations.training.runs import Asked, TrainingRun, begun, trained_by
from operations.training.train_from_log import TrainingPorts, finish
from tests.builders.training_frames import of_catalogue, synthetic

ASKED = Asked(7, "ideal", TrainSettings(seed=3, fitting=FitSettings(trees=50), more_seeds=0))
BEFORE = 45 * DAY
NOW = 1_700_000_000_000_000


def nothing(_done: float, _text: str) -> None:
    return None


def misled(frame: Frame) -> Frame:
    """Labels of the payments that a first fit learns from are those of others."""
    labels, earlier = frame.labels.copy(), frame.times < 48 * DAY
    labels[earlier] = np.random.default_rng(1).permutation(labels[earlier])
    return replace(frame, labels=labels)


def with_facts(trained: TrainedModel, **facts: object) -> TrainedModel:
    """The same model with other facts; None takes one away."""
    manifest = trained.manifest
    changed = {k: v for k, v in {**manifest.facts, **facts}.items() if v is not None}
    made = msgspec.structs.replace(manifest, facts=changed).to_json()
    return replace(trained, files={**trained.files, MANIFEST: made})


@dataclass(frozen=True, slots=True)
class Trained:
    run: TrainingRun
    model: TrainedModel


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Frame], Trained]:
    def trained(frame: Frame) -> Trained:
        with begun(tmp_path_factory.mktemp("training"), ASKED, frame) as run:
            return Trained(run, trained_by(run, nothing))

    return trained


@pytest.fixture(scope="module")
def frame() -> Frame:
    return of_catalogue(synthetic())


@pytest.fixture(scope="module")
def champion(train: Callable[[Frame], Trained], frame: Frame) -> Trained:
    """It has learnt from the first weeks alone, and takes a feature that is constant since."""
    first = frame.take(frame.times < BEFORE)
    vectors = first.vectors.copy()
    vectors[:, 10] = np.random.default_rng(2).normal(size=len(first))
    return train(replace(first, vectors=vectors))


@pytest.fixture(scope="module")
def good(train: Callable[[Frame], Trained], frame: Frame) -> Trained:
    return train(frame)


@pytest.fixture(scope="module")
def leaky(train: Callable[[Frame], Trained], frame: Frame) -> Trained:
    """One of its features is the label, but for a few payments."""
    vectors, some = frame.vectors.copy(), np.arange(len(frame)) % 500 == 3
    vectors[:, 10] = np.where(some, 0.5, frame.labels)
    return train(replace(frame, vectors=vectors))


@pytest.fixture(scope="module")
def bad(train: Callable[[Frame], Trained], frame: Frame) -> Trained:
    return train(misled(frame))


class Bench:
    """A log and a folder of models; cards are not written."""

    def __init__(self, folder: Path) -> None:
        self.log, self.models = InMemoryEventLog(), ArtefactStore(folder / "models")
        self.ports = TrainingPorts(self.log, never, never, ModelOutput(self.models, no_card))

    def finish(self, trained: Trained, **asked: Any) -> TrainingResult:
        run = replace(trained.run, asked=replace(ASKED, **asked))
        return finish(self.ports, run, trained.model, nothing)

    @property
    def in_force(self) -> str | None:
        model = current_policy(self.log).model
        return model.model_hash if model else None

    def alerts(self) -> list[ModelAlertRaised]:
        return [decode(each.value).data for each in self.log.read(ALERTS)]


def never(*_: object) -> Any:
    raise AssertionError("the log is not read again")


def no_card(*_: object) -> Path:
    return Path("card")


@pytest.fixture
def bench(tmp_path: Path, champion: Trained) -> Bench:
    made = Bench(tmp_path)
    assert made.finish(champion).promoted
    return made


def said(result: TrainingResult, check: str) -> list[str]:
    assert result.gate is not None
    return [each.says for each in result.gate.checks if each.name == check]


def test_a_model_that_is_no_worse_is_put_in_force(bench: Bench, good: Trained) -> None:
    result = bench.finish(good)
    assert (result.promoted, result.refused) == (True, "")
    assert bench.in_force == result.model_hash
    assert "that neither has learnt from" in said(result, "model in force")[0]
    assert bench.alerts() == []


def test_a_bad_model_is_stored_and_registered_and_raises_an_alert(
    bench: Bench, bad: Trained
) -> None:
    before = current_policy(bench.log)
    result = bench.finish(bad)
    assert not result.promoted
    assert result.refused.startswith("model in force: average precision 0.")
    after = current_policy(bench.log)
    assert (after.model, after.thresholds) == (before.model, before.thresholds)
    assert registry_of(bench.log).find(result.model_hash).trained is not None
    assert bench.models.holds(result.model_hash)
    (alert,) = bench.alerts()
    assert (alert.measure, alert.model_hash) == ("gate", result.model_hash)
    assert alert.summary == f"not put in force: {result.refused}"
    assert alert.value > alert.limit
    assert alert.until > alert.since > 0
    bench.finish(bad)
    assert len({each.alert_id for each in bench.alerts()}) == 1


def test_a_bad_model_is_put_in_force_where_that_is_forced(bench: Bench, bad: Trained) -> None:
    result = bench.finish(bad, force=True)
    assert (result.promoted, result.refused) == (True, "")
    assert result.gate is not None
    assert not result.gate.passed
    assert bench.in_force == result.model_hash
    assert bench.alerts() == []


def test_a_model_that_is_not_to_be_promoted_is_not_measured(bench: Bench, bad: Trained) -> None:
    before = bench.in_force
    result = bench.finish(bad, promote=False)
    assert (result.gate, result.refused, bench.in_force) == (None, "", before)
    assert result.doubts == ()
    # Its features are of the payment alone.
    assert result.warnings == [NO_HISTORY]


def test_a_model_with_the_label_among_its_features_is_refused_unless_forced(
    tmp_path: Path, leaky: Trained, frame: Frame
) -> None:
    bench, name = Bench(tmp_path), frame.names[10]
    result = bench.finish(leaky)
    assert (result.promoted, bench.in_force) == (False, None)
    assert result.refused.startswith(f"feature too good: {name} alone, its greatest values first,")
    assert "refused too by: model too good" in result.refused
    assert bench.alerts()[0].features == [name]
    kept = bench.finish(leaky, promote=False)
    assert [each.name for each in kept.doubts] == ["feature too good", "model too good"]
    assert kept.warnings == [each.says for each in kept.doubts]
    assert bench.finish(leaky, force=True).promoted


def test_a_bad_model_is_refused_though_none_is_in_force(tmp_path: Path, bad: Trained) -> None:
    result = Bench(tmp_path).finish(bad)
    assert said(result, "model in force") == ["no model is in force"]
    assert result.refused.startswith("single feature: ")


def test_a_model_in_force_that_cannot_be_loaded_does_not_refuse(
    bench: Bench, good: Trained
) -> None:
    (folder,) = bench.models.folder.glob("*/")
    (folder / MANIFEST).write_bytes(b"{}")
    result = bench.finish(good)
    assert result.promoted
    assert "cannot be opened" in said(result, "model in force")[0]


def test_a_model_in_force_of_other_features_does_not_refuse(tmp_path: Path, good: Trained) -> None:
    bench = Bench(tmp_path)
    other = msgspec.structs.replace(
        good.model.manifest,
        feature_definitions=["another" for _ in good.model.manifest.feature_names],
    )
    files = {**good.model.files, MANIFEST: other.to_json()}
    in_force(bench, replace(good.model, files=files))
    result = bench.finish(good)
    assert result.promoted
    assert "another definition" in said(result, "model in force")[0]


def in_force(bench: Bench, model: TrainedModel) -> None:
    """As the default model is: without the fact of a training."""
    fact = ModelPromoted(
        model_id=model.manifest.model_id,
        model_hash=bench.models.put(model.files),
        feature_set=model.manifest.feature_set,
    )
    promote_model(bench.log, fact, model.thresholds, NOW)


@pytest.mark.parametrize("facts", [{"simulated": True}, {"simulated": None, "learnt_until": None}])
def test_a_model_of_simulated_history_has_learnt_from_no_payment_and_has_no_past(
    tmp_path: Path, good: Trained, bad: Trained, facts: dict[str, object]
) -> None:
    bench = Bench(tmp_path)
    in_force(bench, with_facts(good.model, **facts))
    result = bench.finish(bad)
    assert f"on {len(bad.model.validated.frame):,} payments" in said(result, "model in force")[0]
    assert said(result, "fall") == []
    assert not result.promoted


def test_a_model_without_the_fact_has_learnt_until_the_moment_of_its_labels(
    tmp_path: Path, champion: Trained, good: Trained
) -> None:
    assert champion.model.manifest.facts["learnt_until"].startswith("1970-02-14T")
    later = with_facts(champion.model, learnt_until=None, as_known_at="1971-01-01T00:00:00Z")
    (bench := Bench(tmp_path)).finish(replace(champion, model=later))
    assert bench.finish(good).refused.endswith(" until 1971-01-01T00:00:00Z")


def test_the_model_in_force_stops_no_more_than_the_new_budget(bench: Bench, good: Trained) -> None:
    """It would cost least if people could look at all payments."""
    policy = current_policy(bench.log)
    assert policy.model is not None
    assert isinstance(policy.model, ModelPromoted)
    lax = Thresholds(review=1e-6, step_up=0.9, decline=0.95)
    other = replace(policy.model, thresholds=None)
    promote_model(bench.log, other, lax, NOW)
    bench.ports = replace(bench.ports, costs=Costs(review=0))
    result = bench.finish(good)
    assert result.promoted, result.refused
    assert said(result, "cost")


def test_models_that_are_away_do_not_refuse(
    bench: Bench, good: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_hash: str) -> object:
        raise UnavailableError("shared models", "refused")

    monkeypatch.setattr(bench.models, "open", away)
    result = bench.finish(good)
    assert result.promoted
    assert "shared models: refused" in said(result, "model in force")[0]


def test_features_that_do_not_vary_are_left_out_and_remembered(
    tmp_path: Path, good: Trained, frame: Frame
) -> None:
    stored = stored_frame(good.run.folder)
    assert stored.names == frame.names[:6]
    assert set(stored.constants) == set(frame.names[6:])
    assert np.isnan(list(stored.constants.values())).all()
    store_frame(replace(stored, simulated=True, constants={"a": 2.0}), tmp_path)
    again = stored_frame(tmp_path)
    assert (again.simulated, again.constants) == (True, {"a": 2.0})
