"""Workers that train together make the model of one, whichever of them is killed meanwhile."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from domain.errors import RetraceError, UnavailableError
from inference.training.fitting.fit import Workers
from inference.training.fitting.kept_trees import KeptTrees
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainedModel, TrainSettings
from operations.training.local_workers import REFUSED, trained_by_workers
from operations.training.runs import Asked, TrainingRun, begun, trained_by
from tests.builders.training_frames import synthetic

ONE = Asked(7, "ideal", TrainSettings(seed=3, fitting=FitSettings(trees=60), more_seeds=0))
TWO = replace(ONE, workers=2)
ROWS = 3001


def nothing(_done: float, _text: str) -> None:
    return None


def other_worker(run: TrainingRun) -> psutil.Process:
    """Of two, the one that this process has started."""
    (ours,) = [child for child in psutil.Process().children() if str(run.folder) in child.cmdline()]
    return ours


def no_child_is_left(run: TrainingRun) -> bool:
    return not any(str(run.folder) in child.cmdline() for child in psutil.Process().children())


@pytest.fixture
def run(tmp_path: Path) -> Iterator[TrainingRun]:
    with begun(tmp_path, TWO, synthetic(ROWS)) as made:
        yield made


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    with begun(tmp_path_factory.mktemp("one"), ONE, synthetic(ROWS)) as run:
        return trained_by(run, nothing)


def test_two_workers_make_the_bits_of_one(alone: TrainedModel, run: TrainingRun) -> None:
    assert trained_by_workers(run, nothing).files == alone.files
    assert no_child_is_left(run)


def test_a_killed_worker_starts_again_and_changes_no_bit(
    alone: TrainedModel, run: TrainingRun
) -> None:
    reported: list[str] = []

    def kill_once(_done: float, text: str) -> None:
        if text.startswith("earlier labels, 20") and not reported:
            other_worker(run).send_signal(signal.SIGKILL)
        reported.append(text) if "transactions" not in text else None

    assert trained_by_workers(run, kill_once).files == alone.files
    assert "worker 1 was killed (signal 9): it starts again" in reported
    assert no_child_is_left(run)


def test_a_worker_elsewhere_may_come_late_and_ends_by_itself(
    alone: TrainedModel, run: TrainingRun
) -> None:
    """As on two machines: whoever started one knows nothing of the other."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        if not started:
            command = [sys.executable, "-m", "cli.main", "train-worker", str(run.folder)]
            started.append(subprocess.Popen([*command, "--index", "1"]))

    model = trained_by(run, nothing, Workers(2), start)
    assert started[0].wait(60) == 0
    assert model.files == alone.files


def test_a_worker_that_makes_no_trees_is_given_up_with_its_log(
    run: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operations.training.local_workers.sys.executable", "/bin/false")
    with pytest.raises(UnavailableError, match=r"failed \(exit 1\) 3 times.*worker-1\.log"):
        trained_by_workers(run, nothing)
    assert no_child_is_left(run)


def test_an_error_of_a_worker_is_reported_and_not_tried_again(run: TrainingRun) -> None:
    def lose_the_frame(_done: float, text: str) -> None:
        if "transactions" in text:
            (run.folder / "frame.json").unlink()

    with pytest.raises(RetraceError, match="no whole frame"):
        trained_by_workers(run, lose_the_frame)


def test_a_refusal_has_its_own_exit_status(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli.main", "train-worker", str(tmp_path), "--index", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == REFUSED
    assert "run.json cannot be read" in done.stderr


def test_an_interrupted_launcher_leaves_no_worker(run: TrainingRun) -> None:
    def interrupt(_done: float, text: str) -> None:
        if text.startswith("earlier labels"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained_by_workers(run, interrupt)
    assert no_child_is_left(run)
    assert KeptTrees(run.folder).count() > 0
