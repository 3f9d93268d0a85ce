"""Models of the benchmark: how each is fitted and scores.

Each gets the same vectors and the same known labels, and no more. LightGBM, which has a length of
training to choose, chooses it on the latest fifth and is then fitted on all.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.frame.frame import Floats, Frame, split_by_time, varying
from inference.training.fitting.trees import FitSettings

Vectors = NDArray[np.float32]
Score = Callable[[Vectors], Floats]
Fit = Callable[[Frame, int], Score]
"""Of a frame and a seed."""
_CORES = 2


def ours(frame: Frame, seed: int, chosen: FitSettings | None = None) -> Score:
    """The trees that `retrace train` exports, as the graph that serves.

    The seeds that a training also fits, and its calibration, change no order of scores.
    """
    from inference.artefacts.manifest import Calibration
    from inference.serving.forest.keras_model import scoring
    from inference.serving.graph import scores_of
    from inference.training.counting import counted
    from inference.training.export import converted
    from inference.training.fitting.fit import Run, grown
    from inference.training.train import TrainSettings, fits_of

    settings = TrainSettings(seed=seed, fitting=chosen or FitSettings(), more_seeds=0)
    fits, run = fits_of(frame, settings), Run()
    last = fits.last
    earlier, forest = (
        grown(fit, settings.fitting, lambda _done, _text: None, run) for fit in (fits.first, last)
    )
    forest = counted(earlier, fits.later).count.of(forest)
    graph = converted(scoring(forest, len(last.frame.names), Calibration(1.0, 0.0)))
    places = [frame.names.index(name) for name in last.frame.names]
    return lambda rows: scores_of(graph, rows[:, places])


def whole_training(frame: Frame, seed: int) -> Score:
    """All that `retrace train` does with the frame: the other seeds, the measures, the export."""
    from inference.artefacts.store import GRAPH
    from inference.serving.graph import scores_of
    from inference.training.train import TrainSettings, train

    trained = train(frame, TrainSettings(seed), lambda _done, _text: None)
    places = [frame.names.index(name) for name in trained.manifest.feature_names]
    return lambda rows: scores_of(trained.files[GRAPH], rows[:, places])


def logistic_regression(frame: Frame, seed: int) -> Score:
    """L2, on logarithms of the sizes, unknown values by their median and a mark of their own."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    def fresh() -> Any:
        return make_pipeline(
            FunctionTransformer(_logarithms),
            SimpleImputer(strategy="median", add_indicator=True),
            StandardScaler(),
            LogisticRegression(max_iter=300, random_state=seed),
        )

    return _of_scikit_learn(frame, fresh)


def random_forest(frame: Frame, seed: int) -> Score:
    """100 trees as the Handbook's, each of a third of the rows; unknown values go their own way."""
    from sklearn.ensemble import RandomForestClassifier

    return _of_scikit_learn(
        frame,
        lambda: RandomForestClassifier(
            n_estimators=100,
            min_samples_leaf=5,
            max_samples=1 / 3,
            n_jobs=_CORES,
            random_state=seed,
        ),
    )


def lightgbm(frame: Frame, seed: int) -> Score:
    """Gradient boosting, its number of trees by early stopping on the latest fifth."""
    import lightgbm as gbm

    chosen = varying(frame)
    frame = frame.of(chosen)
    earlier, later = (_labelled(part) for part in split_by_time(frame))
    settings = {
        "objective": "binary", "metric": "average_precision", "learning_rate": 0.05,
        "num_leaves": 63, "min_data_in_leaf": 100, "feature_fraction": 0.5,
        "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 1.0, "seed": seed,
        "num_threads": _CORES, "deterministic": True, "force_col_wise": True, "verbosity": -1,
    }  # fmt: skip
    stopped = gbm.train(
        settings,
        gbm.Dataset(*earlier),
        num_boost_round=600,
        valid_sets=[gbm.Dataset(*later)],
        callbacks=[gbm.early_stopping(60, verbose=False)],
    )
    rounds = max(stopped.best_iteration, 1)
    whole = gbm.train(settings, gbm.Dataset(*_labelled(frame)), num_boost_round=rounds)
    return lambda rows: np.asarray(whole.predict(rows[:, chosen]), dtype=np.float64)


RIVALS: dict[str, Fit] = {
    "retrace": ours,
    "logistic_regression": logistic_regression,
    "random_forest": random_forest,
    "lightgbm": lightgbm,
}

_CHOSEN = FitSettings()
_SHAPES = {
    "half_the_trees": replace(_CHOSEN, trees=_CHOSEN.trees // 2),
    "deep": replace(_CHOSEN, depth=14, leaf=5),
    "shallow": replace(_CHOSEN, depth=8),
    "fewer_rows": replace(_CHOSEN, genuine=_CHOSEN.genuine // 2),
    "more_rows": replace(_CHOSEN, genuine=_CHOSEN.genuine * 2),
    "none_blanked": replace(_CHOSEN, blanked_rows=0.0),
}
"""Our forest with one choice made otherwise."""

MODELS: dict[str, Fit] = {
    **RIVALS,
    **{name: partial(ours, chosen=shape) for name, shape in _SHAPES.items()},
    "whole_training": whole_training,
}


def _of_scikit_learn(frame: Frame, fresh: Callable[[], Any]) -> Score:
    chosen = varying(frame)
    vectors, labels = _labelled(frame.of(chosen))
    model = fresh().fit(vectors, labels)
    return lambda rows: np.asarray(model.predict_proba(rows[:, chosen])[:, 1], dtype=np.float64)


def _labelled(frame: Frame) -> tuple[Any, Any]:
    rows = ~np.isnan(frame.labels)
    return frame.vectors[rows], frame.labels[rows]


def _logarithms(values: Any) -> Any:
    return np.sign(values) * np.log1p(np.abs(values))
