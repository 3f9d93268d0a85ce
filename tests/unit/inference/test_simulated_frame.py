"""Simulated history gives a frame that real code folds, from which a model can be learnt."""

from __future__ import annotations

import numpy as np
import pytest

from domain.features import CATALOGUE
from inference.training.fit import FitSettings
from inference.training.frame import Frame
from inference.training.simulated import SimulatedSettings, simulated_frame
from inference.training.train import TrainSettings, train

SMALL = SimulatedSettings(days=12, per_day=1_000.0, customers=250, merchants=40, sampled=0.2)


def made(settings: SimulatedSettings = SMALL) -> Frame:
    return simulated_frame(settings, lambda _done, _text: None)


@pytest.fixture(scope="module")
def frame() -> Frame:
    return made()


def test_a_frame_has_the_catalogues_columns_in_time_order(frame: Frame) -> None:
    assert frame.names == CATALOGUE.names
    assert frame.feature_set == CATALOGUE.hash
    assert frame.vectors.shape == (len(frame), len(CATALOGUE.names))
    assert (np.diff(frame.times) >= 0).all()
    assert set(frame.labels.tolist()) == {0.0, 1.0}


def test_sampled_rows_stand_for_all_traffic(frame: Frame) -> None:
    assert frame.stands_for.sum() == pytest.approx(12_000, rel=0.1)
    assert frame.prevalence == pytest.approx(0.007, rel=0.5)


def test_the_same_settings_give_the_same_bits(frame: Frame) -> None:
    again = made()
    assert again.vectors.tobytes() == frame.vectors.tobytes()
    assert again.labels.tobytes() == frame.labels.tobytes()


def test_a_model_learns_from_it(frame: Frame) -> None:
    settings = TrainSettings(fitting=FitSettings(epochs=8))
    metrics = train(frame, settings, lambda _done, _text: None).metrics
    assert metrics["auc"] > 0.85
