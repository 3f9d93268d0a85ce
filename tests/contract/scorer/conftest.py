"""Owns one small trained model for all scorers of the contract suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.artefacts import ArtefactStore
from inference.training.fit import FitSettings
from inference.training.train import TrainedModel, TrainSettings, train
from tests.unit.inference.synthetic import synthetic


@pytest.fixture(scope="session")
def trained() -> TrainedModel:
    return train(
        synthetic(), TrainSettings(fitting=FitSettings(epochs=2)), lambda _done, _text: None
    )


@pytest.fixture
def store(tmp_path: Path) -> ArtefactStore:
    return ArtefactStore(tmp_path / "models")
