"""Workers on several machines share a folder: worker 0 begins the run, the others join it."""

from contextlib import AbstractContextManager
from pathlib import Path
from threading import Thread

import pytest

from domain.errors import SettingsError, UnavailableError
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainSettings
from operations.training.cluster_job import Place, led, met
from operations.training.runs import Asked, TrainingRun, begun
from tests.builders.training_frames import synthetic

ASKED = Asked(7, "ideal", TrainSettings(fitting=FitSettings(trees=10), more_seeds=0), workers=2)


def place(index: int, job: str = "uid") -> Place:
    return Place(job, index, 2)


def begin(root: Path) -> AbstractContextManager[TrainingRun]:
    return begun(root, ASKED, synthetic(2000))


def never() -> AbstractContextManager[TrainingRun]:
    raise AssertionError("a run that is there is not begun again")


def test_the_others_wait_for_the_run_that_worker_0_begins(tmp_path: Path) -> None:
    found: list[TrainingRun | None] = []
    follower = Thread(target=lambda: found.append(met(tmp_path, place(1), 60)))
    follower.start()
    with led(tmp_path, place(0), lambda: begin(tmp_path)) as run:
        follower.join(60)
        assert found == [run]


def test_a_worker_0_that_is_started_again_resumes_its_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), led(tmp_path, place(0), lambda: begin(tmp_path)) as run:
        raise KeyboardInterrupt
    with led(tmp_path, place(0), never) as again:
        assert again == run


def test_workers_of_a_finished_job_have_nothing_to_do(tmp_path: Path) -> None:
    with led(tmp_path, place(0), lambda: begin(tmp_path)) as run:
        assert run is not None
    assert not run.folder.exists()
    assert met(tmp_path, place(1), 0) is None
    with led(tmp_path, place(0), never) as again:
        assert again is None


def test_another_job_of_the_same_name_begins_a_run_of_its_own(tmp_path: Path) -> None:
    with led(tmp_path, place(0), lambda: begin(tmp_path)):
        pass
    with led(tmp_path, place(0, "another"), lambda: begin(tmp_path)) as run:
        assert run is not None
        assert met(tmp_path, place(1, "another"), 0) == run


def test_a_worker_0_that_never_begins_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="worker 0 of the job has begun no run"):
        met(tmp_path, place(1), 0)


def test_a_place_beyond_the_workers_is_refused() -> None:
    with pytest.raises(SettingsError, match="JOB_COMPLETION_INDEX: 2 is none of 2"):
        place(2)
