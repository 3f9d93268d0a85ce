"""A fit that was interrupted goes on from the trees that are there and ends with the same model."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from domain.errors import IntegrityError, UnavailableError
from domain.features.payments import Payments
from inference.frame.frame import Frame
from inference.frame.progress import Progress
from inference.frame.stored import store_frame, stored_frame
from inference.serving.forest.forest import Forest
from inference.training.fitting.fit import Fit, Run, grown
from inference.training.fitting.kept_trees import KeptTrees
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainSettings, train
from tests.builders.training_frames import synthetic

SETTINGS = TrainSettings(seed=3, fitting=FitSettings(trees=30), more_seeds=1)


class PowerCutError(Exception):
    """Stands for whatever ends a process between two blocks of trees."""


def until(text: str) -> Progress:
    def progress(_done: float, told: str) -> None:
        if told.startswith(text):
            raise PowerCutError

    return progress


def nothing(_done: float, _text: str) -> None:
    return None


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, bytes]:
    return train(synthetic(2000), SETTINGS, nothing).files


def test_cuts_in_every_phase_give_the_same_artefact(
    undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    run = Run(kept=KeptTrees(tmp_path))
    for last in ("earlier labels, 20 of", "seed 4, 10 of", "all labels, 10 of"):
        with pytest.raises(PowerCutError):
            train(synthetic(2000), SETTINGS, until(last), run)
    grown = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(grown) == run.kept.count() == 9
    assert train(synthetic(2000), SETTINGS, nothing, run).files == undisturbed
    assert {path: path.stat().st_mtime_ns for path in grown} == grown


def test_mapped_frames_give_equal_artefacts(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    digest = store_frame(synthetic(2000), tmp_path)
    assert train(stored_frame(tmp_path), SETTINGS, nothing).files == undisturbed
    again = tmp_path / "again"
    again.mkdir()
    assert store_frame(stored_frame(tmp_path), again) == digest
    (again / "labels.npy").unlink()
    with pytest.raises(IntegrityError, match="no whole frame"):
        stored_frame(again)


def test_a_stored_frame_keeps_all_that_a_frame_holds(tmp_path: Path) -> None:
    numbers = np.arange(2000)
    payments = Payments(numbers, numbers * 2, numbers % 2 == 0, np.ones((2000, 4), dtype=np.int8))
    frame = replace(synthetic(2000), definitions=("d",) * 6, payments=payments, positions=(7, 9))
    store_frame(frame, tmp_path)
    read = stored_frame(tmp_path)
    for kept, made in ((read, frame), (read.payments, payments)):
        for field in fields(type(made)):
            mine, other = getattr(kept, field.name), getattr(made, field.name)
            if isinstance(other, np.ndarray):
                assert (mine.dtype, mine.tobytes()) == (other.dtype, other.tobytes())
            elif field.name != "payments":
                assert mine == other


def test_a_block_of_trees_is_read_as_it_was_kept(tmp_path: Path) -> None:
    kept, store = forest(synthetic(2000)), KeptTrees(tmp_path)
    store.keep("all", 3, kept)
    store.keep("all", 3, kept)
    assert store.awaited("all", 3, never).to_bytes() == kept.to_bytes()
    assert store.has("all", 3)
    assert not store.has("earlier", 3)
    assert [path.name for path in tmp_path.iterdir()] == ["all-3.npz"]


def test_a_damaged_block_is_named(tmp_path: Path) -> None:
    store = KeptTrees(tmp_path)
    store.keep("all", 0, forest(synthetic(2000)))
    path = tmp_path / "all-0.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(IntegrityError, match=r"all-0\.npz is damaged"):
        store.awaited("all", 0, never)


def test_trees_of_others_are_awaited_and_missed_in_the_end(tmp_path: Path) -> None:
    kept = forest(synthetic(2000))

    def grown_elsewhere() -> None:
        KeptTrees(tmp_path).keep("all", 1, kept)

    assert KeptTrees(tmp_path).awaited("all", 1, grown_elsewhere).to_bytes() == kept.to_bytes()
    with pytest.raises(UnavailableError, match=r"no worker has written .*all-2\.npz within 0 s"):
        KeptTrees(tmp_path, patience=0.0).awaited("all", 2, lambda: None)


def forest(frame: Frame) -> Forest:
    return grown(Fit("all", frame, 3), FitSettings(trees=10), nothing, Run())


def never() -> None:
    raise AssertionError("what is there is not awaited")
