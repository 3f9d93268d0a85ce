"""A model card agrees with its training, and lies beside the artefact outside its hash."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import IntegrityError, NotFoundError
from domain.features.payments import Payments
from inference.artefacts.store import ArtefactStore
from inference.evaluation.card.calibration import calibration_error, calibration_table
from inference.evaluation.card.folder import read_card, write_card
from inference.evaluation.card.importance import importance
from inference.evaluation.card.origin import Origin
from inference.evaluation.card.text import PLOTS, markdown, table
from inference.evaluation.measures import MeasureSettings
from inference.frame.frame import Frame
from inference.serving.adapters.litert import LiteRtScorer
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainedModel, TrainSettings, train
from tests.builders.training_frames import NAMES, synthetic

ORIGIN = Origin("a made-up log", "9.9", "abc", "fraud.transactions", (10, 20, 30))
PNG = b"\x89PNG\r\n\x1a\n"


def with_payments(frame: Frame) -> Frame:
    rows = len(frame)
    told = np.where(np.isnan(frame.labels), -1, frame.labels).astype(np.int8)
    payments = Payments(
        np.arange(rows) % 50 + 1,
        np.full(rows, 2500),
        np.zeros(rows, dtype=bool),
        np.repeat(told[:, np.newaxis], 4, axis=1),
    )
    return replace(frame, payments=payments)


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    settings = TrainSettings(seed=3, fitting=FitSettings(trees=50), more_seeds=0)
    return train(with_payments(synthetic(3000)), settings, lambda _done, _text: None)


@pytest.fixture(scope="module")
def models(trained: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def card(trained: TrainedModel, models: Path) -> dict[str, Any]:
    store = ArtefactStore(models)
    artefact = store.open(store.put(trained.files))
    write_card(models, artefact, trained.validated, ORIGIN, MeasureSettings())
    return read_card(models, artefact.model_hash)[0]


def test_a_card_says_where_its_model_came_from(card: dict[str, Any], trained: TrainedModel) -> None:
    facts = trained.manifest.facts
    assert card["data"]["positions"] == [10, 20, 30]
    assert card["data"]["as_known_at"] == facts["as_known_at"]
    assert card["data"]["transactions"] == 3000
    assert card["code"] == {"version": "9.9", "commit": "abc"}
    assert card["settings"]["seed"] == 3
    assert [each["name"] for each in card["features"]] == list(NAMES)


def test_its_measures_are_those_of_training_at_every_maturity(
    card: dict[str, Any], trained: TrainedModel
) -> None:
    assert list(card["metrics"]) == ["as known", "7 days", "30 days", "60 days", "90 days"]
    told = card["metrics"]["as known"]
    assert told["auc"] == trained.metrics["auc"]
    assert told["average_precision"] == trained.metrics["average_precision"]
    assert 0 < told["card_precision"]["100"] < 1
    # The synthetic frame ends on day 60: no payment of its later part is 60 days old.
    assert card["metrics"]["60 days"]["payments"] == 0
    assert card["metrics"]["7 days"]["payments"] < told["payments"]


def test_thresholds_report_frauds_they_catch(card: dict[str, Any], trained: TrainedModel) -> None:
    at, scores = trained.thresholds, trained.validated.scores
    labels = trained.validated.frame.labels
    declined = card["thresholds"]["decline"]
    assert declined["from"] == at.decline
    caught = (scores[labels == 1] >= at.decline).mean()
    assert declined["recall"]["share"] == pytest.approx(caught)
    assert declined["recall"]["low"] < caught < declined["recall"]["high"]
    assert declined["precision"]["share"] == trained.metrics["precision_declined"]
    below = (labels == 1) & (scores < at.decline)
    referred = card["thresholds"]["referred"]
    assert referred["recall"]["share"] == pytest.approx((scores[below] >= at.review).mean())
    assert declined["share_of_traffic"] == pytest.approx((scores >= at.decline).mean())


def test_features_are_listed_by_importance_with_their_words(card: dict[str, Any]) -> None:
    told = card["importance"]["features"]
    sizes = [each["over_traffic"] for each in told]
    assert sizes == sorted(sizes, reverse=True)
    of_frauds = sorted(told, key=lambda each: -each["over_frauds"])
    assert {each["name"] for each in of_frauds[:4]} == {"amount", "count_1h", "is_new", "rate"}
    assert next(each["words"] for each in told if each["name"] == "is_new") == "is new"


def test_importance_is_the_mean_size_of_the_contributions_of_each_payment(
    card: dict[str, Any], trained: TrainedModel, models: Path
) -> None:
    store = ArtefactStore(models)
    artefact = store.open(card["model_hash"])
    frame = trained.validated.frame.take(np.arange(7))
    found = importance(artefact, frame)
    explainer = LiteRtScorer(store.open(card["model_hash"]))._explainer
    rows = frame.vectors.astype(np.float32)
    each = np.abs([explainer.contributions(row[np.newaxis]) for row in rows])
    assert found.over_traffic == pytest.approx(each.mean(axis=0))
    assert (found.traffic, found.frauds) == (7, frame.frauds)


def test_the_text_has_every_figure_where_people_look_for_it(card: dict[str, Any]) -> None:
    text = markdown(card)
    for said in (
        "# Model forest-",
        "up to offset 10 20 30",
        "card precision@100",
        "60 days",
        "is new",
        f"{card['thresholds']['review']['recall']['share']:.1%} (",
    ):
        assert said in text
    assert f"{card['metrics']['as known']['average_precision']:.4f}" in text
    assert "None" not in text.split("## Settings")[0]


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    assert table(["a"], [["x|y"]]) == "| a |\n| --- |\n| x\\|y |"


def test_writing_it_again_gives_the_same_bytes_and_leaves_the_model_as_it_was(
    card: dict[str, Any], trained: TrainedModel, models: Path
) -> None:
    store = ArtefactStore(models)
    folder = models / card["model_hash"] / "card"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"card.json", "card.md", *(name for name, _ in PLOTS)}
    write_card(models, store.open(card["model_hash"]), trained.validated, ORIGIN, MeasureSettings())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert store.put(trained.files) == card["model_hash"]
    assert sorted(path.name for path in models.iterdir()) == [card["model_hash"]]


def test_plots_are_pictures_large_enough_to_read(card: dict[str, Any], models: Path) -> None:
    for name, _ in PLOTS:
        data = (models / card["model_hash"] / "card" / name).read_bytes()
        assert data.startswith(PNG)
        width, height = struct.unpack(">II", data[16:24])
        assert width >= 600
        assert height >= 400


def test_a_model_without_a_card_serves(trained: TrainedModel, tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    model_hash = store.put(trained.files)
    with pytest.raises(NotFoundError, match="model card"):
        read_card(tmp_path, model_hash)
    assert 0 <= LiteRtScorer(store.open(model_hash)).value(trained.validated.frame.vectors[0]) <= 1


def test_an_altered_card_is_reported(trained: TrainedModel, tmp_path: Path) -> None:
    folder = tmp_path / "some-hash" / "card"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text("{")
    (folder / "card.md").write_text("")
    with pytest.raises(IntegrityError, match=r"card\.json"):
        read_card(tmp_path, "some-hash")


rows = st.lists(
    st.tuples(st.integers(0, 1), st.floats(0, 1), st.integers(1, 5)), min_size=1, max_size=40
)


@given(rows)
def test_bands_of_a_calibration_hold_every_row_once(found: list[tuple[int, float, int]]) -> None:
    labels, scores, weights = (np.array(each, dtype=float) for each in zip(*found, strict=True))
    bands = calibration_table(labels, scores, weights)
    assert sum(band["rows"] for band in bands) == len(found)
    assert sum(band["frauds"] for band in bands) == labels.sum()
    assert sum(band["share_of_traffic"] for band in bands) == pytest.approx(1)
    for band in bands:
        assert band["from"] - 1e-12 <= band["predicted"] <= band["to"] + 1e-12
        assert 0 <= band["low"] <= band["observed"] + 1e-12
        assert band["observed"] - 1e-12 <= band["high"] <= 1
    assert 0 <= calibration_error(bands) <= 1


def test_calibrated_scores_have_no_calibration_error() -> None:
    scores = np.repeat([0.1, 0.4], 10)
    labels = np.array([1.0] + [0.0] * 9 + [1.0] * 4 + [0.0] * 6)
    assert calibration_error(calibration_table(labels, scores, np.ones(20))) == pytest.approx(0)


def test_an_interval_is_wilsons() -> None:
    labels = np.array([1.0] * 3 + [0.0] * 17)
    (band,) = calibration_table(labels, np.full(20, 0.15), np.ones(20))
    # Wilson 1927 for 3 of 20, as statsmodels' proportion_confint gives it.
    assert (band["low"], band["high"]) == (
        pytest.approx(0.0524, abs=1e-4),
        pytest.approx(0.3604, abs=1e-4),
    )


def test_a_model_without_any_history_says_so_before_its_figures(card: dict[str, Any]) -> None:
    assert card["knows_no_history"] is False
    assert "Warning" not in markdown(card)
    text = markdown({**card, "knows_no_history": True})
    assert text.index("it knows no card, customer, merchant") < text.index("labelled fraud")
