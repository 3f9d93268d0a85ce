"""Workers that train together make the model of one, whichever of them is killed meanwhile."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from domain.errors import RetraceError, UnavailableError
from host.ports import free_ports
from inference.artefacts.store import WEIGHTS
from inference.serving.network.weights import unpack_weights
from inference.training.fitting.fit import FitSettings
from inference.training.train import TrainedModel, TrainSettings
from operations.training.local_workers import REFUSED, trained_by_workers
from operations.training.runs import Asked, TrainingRun, begun, result_of, trained_by
from tests.builders.training_frames import synthetic

TOLERANCE = 1e-4  # docs/models.md states it
ONE = Asked(7, "ideal", TrainSettings(seed=3, fitting=FitSettings(epochs=3), more_seeds=0))
TWO = replace(ONE, workers=2)
# The last batch is one that two cannot halve, and enough of them are left after the warm-up.
ROWS = 3001


def nothing(_done: float, _text: str) -> None:
    return None


def weights(model: TrainedModel) -> list[np.ndarray]:
    return list(unpack_weights(model.files[WEIGHTS]))


def worker_of(run: TrainingRun, index: int) -> psutil.Process:
    """Children are started in order."""
    ours = [child for child in psutil.Process().children() if str(run.folder) in child.cmdline()]
    return sorted(ours, key=lambda child: child.pid)[index]


def no_child_is_left(run: TrainingRun) -> bool:
    return not any(str(run.folder) in child.cmdline() for child in psutil.Process().children())


@contextmanager
def started_by_hand(run: TrainingRun) -> Iterator[list[subprocess.Popen[str]]]:
    """Both workers, as on two machines: whoever started one knows nothing of the other."""
    hosts = [f"127.0.0.1:{port}" for port in free_ports(2)]
    with ExitStack() as stack:
        workers = []
        for index in range(2):
            task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            worker = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "train-worker", str(run.folder)],
                # Sums depend on the threads: as many as trained_by_workers gives each of two.
                env={**os.environ, "TF_CONFIG": json.dumps(task), "TF_NUM_INTRAOP_THREADS": "1"},
                stdout=subprocess.PIPE if index == 0 else subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            workers.append(stack.enter_context(worker))
            stack.callback(worker.kill)
        yield workers


@pytest.fixture
def run(tmp_path: Path) -> Iterator[TrainingRun]:
    with begun(tmp_path, TWO, synthetic(ROWS)) as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    reported: list[str] = []
    with begun(tmp_path_factory.mktemp("two"), TWO, synthetic(ROWS)) as run:
        model = trained_by_workers(run, lambda _done, text: reported.append(text))
        assert no_child_is_left(run)
    epochs = [text for text in reported if text.startswith(("earlier labels", "all labels"))]
    assert epochs[0].startswith("earlier labels, epoch 1")
    assert epochs[-1].startswith("all labels, epoch")
    return model


def test_two_workers_reach_the_weights_of_one(undisturbed: TrainedModel, tmp_path: Path) -> None:
    with begun(tmp_path, ONE, synthetic(ROWS)) as run:
        alone = trained_by(run, nothing)
    for mine, other in zip(weights(undisturbed), weights(alone), strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=TOLERANCE)
    assert undisturbed.metrics == pytest.approx(alone.metrics, abs=1e-3)
    scored, by_one = undisturbed.validated, alone.validated
    np.testing.assert_array_equal(scored.frame.times, by_one.frame.times)
    np.testing.assert_allclose(scored.scores, by_one.scores, atol=1e-3)


def test_killed_workers_change_no_bit_of_the_end(
    undisturbed: TrainedModel, run: TrainingRun
) -> None:
    reported: list[str] = []
    moments = {"earlier labels, epoch 2": 0, "all labels, epoch 1": 1}

    def kill_each_once(_done: float, text: str) -> None:
        for moment in [moment for moment in moments if text.startswith(moment)]:
            worker_of(run, moments.pop(moment)).send_signal(signal.SIGKILL)
        reported.append(text)

    model = trained_by_workers(run, kill_each_once)
    assert model.files == undisturbed.files
    assert not moments
    assert sum("was killed (signal 9): all start again" in text for text in reported) == 2
    assert any(text.startswith("going on after epoch") for text in reported)
    assert no_child_is_left(run)


def test_a_worker_that_nobody_watches_ends_when_it_loses_a_peer_and_started_again_goes_on(
    undisturbed: TrainedModel, run: TrainingRun
) -> None:
    with started_by_hand(run) as (first, second):
        assert any("epoch 2" in line for line in first.stdout or ())
        second.kill()
        assert first.wait(120) not in (0, REFUSED)
    with started_by_hand(run) as again:
        assert any("going on after epoch" in line for line in again[0].stdout or ())
        assert [worker.wait(240) for worker in again] == [0, 0]
    assert result_of(run).files == undisturbed.files


def test_workers_that_make_no_progress_are_given_up_with_their_log(run: TrainingRun) -> None:
    def kill(_done: float, text: str) -> None:
        if "transactions" in text:
            worker_of(run, 1).send_signal(signal.SIGKILL)

    with pytest.raises(UnavailableError, match=r"without a new epoch.*worker-1\.log"):
        trained_by_workers(run, kill)
    assert no_child_is_left(run)


def test_an_error_of_a_worker_is_reported_and_not_tried_again(run: TrainingRun) -> None:
    (run.folder / "frame.json").unlink()
    with pytest.raises(RetraceError, match="no whole frame"):
        trained_by_workers(run, nothing)


def test_an_interrupted_launcher_leaves_no_worker(run: TrainingRun) -> None:
    def interrupt(_done: float, text: str) -> None:
        if text.startswith("earlier labels, epoch 1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained_by_workers(run, interrupt)
    assert no_child_is_left(run)
