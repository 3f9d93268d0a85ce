"""The benchmark gives each model what was known then, and tests it on the week after."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import stability as bench
from bench.rivals import MODELS
from bench.weeks import Twist, frame_at, lay_out, week_from
from domain.times import DAY, HOUR, from_rfc3339, to_rfc3339
from inference.frame.frame import Frame
from operations.log.imports import ImportOptions
from operations.training.file_frame import frame_of_file
from runtime.composition.intake import cleaner_for_file
from runtime.settings import settings_from_environment
from tests.builders.import_files import Rows, rows_of, write_csv

DAY_0, ROWS = "2024-01-01", 900
TESTED = "2024-01-29"


def history() -> Rows:
    """One payment an hour for five weeks; frauds are large."""
    rows = rows_of(ROWS, HOUR)
    for n, row in enumerate(rows):
        row["timestamp"] = to_rfc3339(from_rfc3339(f"{DAY_0}T00:00:00Z") + n * HOUR)
        row["fraud"] = int(n % 10 == 3)
        row["amount"] = 900.25 + n % 91 if row["fraud"] else 5.5 + n % 83
    return rows


@pytest.fixture
def prepared(tmp_path: Path) -> tuple[Path, ImportOptions]:
    path = write_csv(tmp_path / "history.csv", history())
    folder = tmp_path / "made"
    folder.mkdir()
    lay_out(path, (), "fraud", "7d", [TESTED], folder)
    return folder, ImportOptions(file=path, label="fraud")


def test_a_model_learns_the_frame_that_training_from_the_file_would_have(
    prepared: tuple[Path, ImportOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, file = prepared
    seen: list[Frame] = []

    def spy(frame: Frame, _seed: int) -> Any:
        seen.append(frame)
        return lambda rows: np.linspace(0, 1, len(rows))

    monkeypatch.setitem(MODELS, "spy", spy)
    told = bench._fitted(folder, "spy", TESTED, 1, Twist(), tmp_path / "scores")
    cleaning = cleaner_for_file(settings_from_environment(state_dir=tmp_path / "state"), None)
    moment = from_rfc3339(f"{TESTED}T00:00:00Z")
    wanted, _ = frame_of_file(file, cleaning, moment, lambda _: None, lambda _a, _b: None)
    (frame,) = seen
    for name in ("vectors", "labels", "times"):
        mine, other = getattr(frame, name), getattr(wanted, name)
        assert (mine.dtype, mine.tobytes()) == (other.dtype, other.tobytes())
    assert frame.times.max() <= moment
    assert not np.isnan(frame.labels[frame.times <= moment - 7 * DAY]).any()
    assert np.isnan(frame.labels[frame.times > moment - 7 * DAY]).all()
    assert told["test_transactions"] == 7 * 24
    lines = (tmp_path / "scores" / f"spy-{TESTED}-1.csv").read_text().splitlines()
    assert lines[0] == "TRANSACTION_ID,score"
    assert lines[1].startswith(f"t{28 * 24},")
    assert len(lines) == 1 + 7 * 24


@pytest.mark.parametrize("name", ["logistic_regression", "random_forest", "lightgbm"])
def test_what_can_be_learnt_is_learnt_by_every_rival(
    prepared: tuple[Path, ImportOptions], name: str
) -> None:
    told = bench._fitted(prepared[0], name, TESTED, 1, Twist(), None)
    assert told["all_cards"]["auc"] > 0.95
    assert told["labelled_transactions"] == 21 * 24 + 1


def test_a_twist_keeps_what_the_rows_stand_for(prepared: tuple[Path, ImportOptions]) -> None:
    whole = frame_at(prepared[0], TESTED)
    twisted = Twist(genuine=100, frauds=21, noise=5).of_frame(whole)
    assert (twisted.genuine, twisted.frauds) == (100, 21)
    assert twisted.stands_for[twisted.labels == 0].sum() == pytest.approx(whole.genuine)
    assert twisted.names[-5:] == tuple(f"noise_{number}" for number in range(5))
    assert twisted.vectors.shape == (len(twisted), len(whole.names) + 5)
    week = Twist(noise=5).of_week(week_from(prepared[0], TESTED))
    assert week.vectors.shape[1] == len(whole.names) + 5


def test_a_summary_tells_seeds_from_days() -> None:
    def fit(day: str, seed: int, value: float) -> dict[str, Any]:
        figures = {"auc": value, "average_precision": None}
        return {"day": day, "seed": seed, "without_known_cards": figures, "all_cards": figures}

    fits = [fit("a", 1, 0.7), fit("a", 2, 0.72), fit("b", 1, 0.9), fit("b", 2, 0.94)]
    told = bench.summary(fits)["all_cards"]
    assert told == {
        "auc": {"mean": 0.815, "worst": 0.7, "sd_over_days": 0.14849, "sd_over_seeds": 0.02236}
    }
