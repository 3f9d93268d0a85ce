"""The benchmark gives each model what was known then, and tests it on the week after."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import models as bench
from bench import shapes
from bench.rivals import RIVALS
from bench.weeks import frame_at, lay_out, week_from
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

    def spy(frame: Frame) -> Any:
        seen.append(frame)
        return lambda rows: np.linspace(0, 1, len(rows))

    monkeypatch.setitem(RIVALS, "spy", spy)
    told = bench._fitted(folder, "spy", TESTED, tmp_path / "scores")
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
    lines = (tmp_path / "scores" / f"spy-{TESTED}.csv").read_text().splitlines()
    assert lines[0] == "TRANSACTION_ID,score"
    assert lines[1].startswith(f"t{28 * 24},")
    assert len(lines) == 1 + 7 * 24


@pytest.mark.parametrize("name", ["logistic_regression", "random_forest", "lightgbm"])
def test_what_can_be_learnt_is_learnt_by_every_rival(
    prepared: tuple[Path, ImportOptions], name: str
) -> None:
    told = bench._fitted(prepared[0], name, TESTED, None)
    assert told["all_cards"]["auc"] > 0.95
    assert told["labelled_transactions"] == 21 * 24 + 1


def test_every_shape_learns_the_same_and_is_measured_on_the_same_week(
    prepared: tuple[Path, ImportOptions],
) -> None:
    frame, week = frame_at(prepared[0], TESTED), week_from(prepared[0], TESTED)
    frame, week = shapes._chosen_features(frame, week)
    assert week.vectors.shape == (7 * 24, len(frame.names))
    found = {
        name: [shapes._metrics_of(name, shapes.SHAPES[name], 1, frame, week)]
        for name in ("chosen", "additive")
    }
    told = shapes._summed_up({name: shapes.SHAPES[name] for name in found}, found)
    assert told["chosen"]["differs_by"] == {}
    assert told["additive"]["differs_by"] == {"hidden": ()}
    assert all(each["mean_all_cards"]["auc"] > 0.95 for each in told.values())
