"""Training learns what can be learnt, and gives the same model for the same seed."""

from dataclasses import replace

import numpy as np
import pytest

from domain.times import DAY
from inference.artefacts.manifest import Manifest
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainedModel, TrainSettings, train
from tests.builders.training_frames import FEATURE_SET, NAMES, synthetic

SETTINGS = TrainSettings(seed=3, fitting=FitSettings(trees=50), more_seeds=0)


def trained(seed: int = 3, labelled: float = 1.0) -> TrainedModel:
    settings = TrainSettings(seed=seed, fitting=FitSettings(trees=50), more_seeds=0)
    return train(synthetic(labelled=labelled), settings, lambda _done, _text: None)


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return trained()


def test_what_can_be_learnt_is_learnt(model: TrainedModel) -> None:
    assert model.metrics["auc"] > 0.95
    assert model.metrics["average_precision"] > 0.75


def test_a_few_confirmed_genuine_rows_are_enough() -> None:
    assert trained(labelled=0.1).metrics["auc"] > 0.93


def test_scores_are_calibrated_though_the_latest_frauds_have_no_labels_yet() -> None:
    frame = synthetic()
    late = frame.times > frame.as_known_at - 10 * DAY
    known = replace(frame, labels=np.where(late, np.nan, frame.labels))
    made = train(known, SETTINGS, lambda _done, _text: None)
    promised = made.validated.scores[made.validated.frame.times > frame.as_known_at - 10 * DAY]
    assert promised.sum() == pytest.approx((frame.labels[late] == 1).sum(), rel=0.25)


def test_the_reference_is_of_the_last_whole_weeks(model: TrainedModel) -> None:
    reference, frame = model.manifest.reference, synthetic()
    assert reference is not None
    span = np.ptp(model.validated.frame.times)
    assert 7 * DAY < span < 14 * DAY
    assert reference.rows == (frame.times > frame.times[-1] - 14 * DAY).sum()
    assert reference.catches is not None
    assert reference.catches.review.recall is not None
    assert reference.catches.review.recall.share == model.metrics["recall_reviewed"]


def test_the_same_seed_gives_the_same_artefact(model: TrainedModel) -> None:
    assert trained().files == model.files


def test_another_seed_gives_another_artefact(model: TrainedModel) -> None:
    assert trained(seed=4).files != model.files


def test_progress_runs_from_nothing_to_the_last_trees() -> None:
    seen: list[tuple[float, str]] = []
    train(synthetic(), SETTINGS, lambda done, text: seen.append((done, text)))
    assert seen[0][0] == 0.0
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert any("average precision" in text for _, text in seen)
    assert seen[-1][0] == 1.0
    assert "all labels" in seen[-1][1]


def test_the_manifest_describes_the_model(model: TrainedModel) -> None:
    manifest: Manifest = model.manifest
    assert manifest.feature_set == FEATURE_SET
    assert tuple(manifest.feature_names) == NAMES
    assert manifest.thresholds == model.thresholds
    assert 0 < model.thresholds.review <= model.thresholds.step_up <= model.thresholds.decline
    assert manifest.facts["transactions"] == 6000
    assert manifest.facts["metrics"] == model.metrics
    assert any(None in row for row in manifest.probe.rows)
