"""Small trained models of the contract suite: of made-up features, and of the catalogue."""

from pathlib import Path

import numpy as np
import pytest

from domain.features import CATALOGUE
from domain.times import DAY
from inference.artefacts.store import Artefact, ArtefactStore
from inference.frame.frame import Frame
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainedModel, TrainSettings, train
from tests.builders.training_frames import synthetic


@pytest.fixture(scope="session")
def trained() -> TrainedModel:
    return train(
        synthetic(),
        TrainSettings(fitting=FitSettings(trees=50), more_seeds=0),
        lambda _done, _text: None,
    )


@pytest.fixture
def store(tmp_path: Path) -> ArtefactStore:
    return ArtefactStore(tmp_path / "models")


@pytest.fixture(scope="session")
def of_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    """A model of the features as they are declared, of which most are unknown now and then."""
    random = np.random.default_rng(5)
    rows, width = 2000, len(CATALOGUE.names)
    vectors = random.lognormal(1, 2, (rows, width))
    # Amounts tell fraud more and more: payments of different amounts have different scores.
    amounts = np.log(vectors[:, CATALOGUE.names.index("amount")])
    labels = (random.normal(amounts, 2) > 1).astype(float)
    vectors[random.random(vectors.shape) < 0.2] = np.nan
    frame = Frame(
        vectors,
        labels,
        np.sort(random.integers(0, 60 * DAY, rows)),
        np.ones(rows),
        CATALOGUE.names,
        CATALOGUE.hash,
        60 * DAY,
        tuple(feature.definition for feature in CATALOGUE.features),
    )
    settings = TrainSettings(fitting=FitSettings(trees=100), more_seeds=0)
    files = train(frame, settings, lambda _done, _text: None).files
    store = ArtefactStore(tmp_path_factory.mktemp("models"))
    return store.open(store.put(files))
