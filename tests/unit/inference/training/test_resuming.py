"""A fit that was interrupted resumes after its last epoch and ends with the same model."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.errors import IntegrityError
from domain.features.payments import Payments
from inference.frame.progress import Progress
from inference.frame.stored import store_frame, stored_frame
from inference.training.fitting.checkpoints import Checkpoint, Checkpoints
from inference.training.fitting.fit import FitSettings, Run
from inference.training.train import TrainSettings, train
from tests.builders.training_frames import synthetic

SETTINGS = TrainSettings(seed=3, fitting=FitSettings(epochs=3), more_seeds=1)


class PowerCutError(Exception):
    """Stands for whatever ends a process between two epochs."""


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
    run = Run(checkpoints=Checkpoints(tmp_path))
    for last in ("earlier labels, epoch 2", "seed 4, epoch 1", "all labels, epoch 1"):
        with pytest.raises(PowerCutError):
            train(synthetic(2000), SETTINGS, until(last), run)
    told: list[str] = []
    files = train(synthetic(2000), SETTINGS, lambda _done, text: told.append(text), run).files
    assert files == undisturbed
    assert not any(text.startswith("earlier labels, epoch") for text in told)
    assert "going on after epoch 1" in told


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


def test_a_checkpoint_is_read_as_it_was_kept(tmp_path: Path) -> None:
    weights: list[Any] = [np.arange(12, dtype=np.float32) + n for n in range(12)]
    kept = Checkpoint(7, [*weights, np.array(9, dtype=np.int64)])
    store = Checkpoints(tmp_path)
    store.keep("all", kept)
    store.keep("all", kept)
    read = store.latest("all")
    assert read.epoch == store.epochs() == 7
    assert [one.tobytes() for one in read.variables] == [one.tobytes() for one in kept.variables]
    assert store.latest("earlier") == Checkpoint()
    assert [path.name for path in tmp_path.iterdir()] == ["all.npz"]


def test_only_the_worker_that_writes_keeps_checkpoints(tmp_path: Path) -> None:
    Checkpoints(tmp_path, writes=False).keep("all", Checkpoint(1))
    assert not list(tmp_path.iterdir())


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path)
    store.keep("all", Checkpoint(3, [np.ones(50, dtype=np.float32)]))
    path = tmp_path / "all.npz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(IntegrityError, match=r"all\.npz is damaged"):
        store.latest("all")
