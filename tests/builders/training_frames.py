"""Made-up training frames whose fraud can be learnt, and the options of a run over one."""

from dataclasses import replace

import numpy as np

from domain.features import CATALOGUE
from domain.features.payments import MATURITIES, Payments
from domain.times import DAY
from inference.frame.frame import Frame
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainSettings
from operations.training.runs import Asked

NAMES = ("amount", "count_1h", "is_new", "rate", "noise_a", "noise_b")
FEATURE_SET = "5e7" * 21 + "a"
ROWS = 2000


ASKED = Asked(
    7, "ideal", TrainSettings(seed=3, fitting=FitSettings(trees=30), more_seeds=0), promote=False
)


def synthetic(rows: int = 6000, seed: int = 7, labelled: float = 1.0) -> Frame:
    """Fraud at 4 %: large amounts, bursts and new places, with values missing in every column."""
    random = np.random.default_rng(seed)
    fraud = random.random(rows) < 0.04
    vectors = np.stack(
        [
            np.exp(random.normal(8 + 1.6 * fraud, 1.0)),
            random.poisson(1 + 4 * fraud).astype(float),
            (random.random(rows) < 0.1 + 0.6 * fraud).astype(float),
            random.beta(1 + fraud, 30),
            random.normal(size=rows),
            random.normal(size=rows) * 1e9,
        ],
        axis=1,
    )
    vectors[random.random(vectors.shape) < 0.05] = np.nan
    labels = np.where(fraud | (random.random(rows) < labelled), fraud, np.nan).astype(float)
    times = np.sort(random.integers(0, 60 * DAY, rows))
    return Frame(vectors, labels, times, np.ones(rows), NAMES, FEATURE_SET, 60 * DAY)


def of_catalogue(frame: Frame, seed: int = 7) -> Frame:
    """The same rows with the features of the catalogue: the first are its own, the others unknown,
    and with a card for about every ten payments."""
    random, rows = np.random.default_rng(seed), len(frame)
    vectors = np.full((rows, len(CATALOGUE.names)), np.nan)
    vectors[:, : len(frame.names)] = frame.vectors
    labels = np.where(np.isnan(frame.labels), -1, frame.labels).astype(np.int8)
    payments = Payments(
        random.integers(1, rows // 10, rows),
        random.integers(500, 20_000, rows),
        np.zeros(rows, dtype=bool),
        np.repeat(labels[:, np.newaxis], len(MATURITIES), axis=1),
    )
    definitions = tuple(feature.definition for feature in CATALOGUE.features)
    return replace(
        frame, vectors=vectors, names=CATALOGUE.names, feature_set=CATALOGUE.hash,
        definitions=definitions, payments=payments,
    )  # fmt: skip
