"""Training whose workers are started elsewhere, as by a Kubernetes Job, and share one folder.

Worker 0 reads the log, begins the run and writes its key to `jobs/<job>.json`; the others wait for
that file, grow their trees in the run's folder and end. Worker 0 waits for the trees of all. A
worker that is started again goes on from the trees that are there.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from domain.errors import SettingsError, UnavailableError
from host.files import write_whole, writing
from inference.frame.progress import Progress
from inference.training.fitting.fit import Workers
from operations.training.results import TrainingResult
from operations.training.runs import (
    Asked,
    TrainingRun,
    grown_by,
    held,
    read_run,
    remove,
    trained_by,
)
from operations.training.train_from_log import TrainingPorts, begin, finish

_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Worker `index` of `workers`; `job` differs between two Jobs of one name."""

    job: str
    index: int
    workers: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.workers:
            raise SettingsError(
                f"JOB_COMPLETION_INDEX: {self.index} is none of {self.workers} workers"
                " (RETRACE_TRAINING_WORKERS)"
            )

    @property
    def part(self) -> Workers:
        return Workers(self.workers, self.index)


@dataclass(frozen=True, slots=True)
class _Meeting:
    run: str
    finished: bool = False


def lead(
    ports: TrainingPorts, root: Path, place: Place, asked: Asked, progress: Progress
) -> TrainingResult | None:
    """Worker 0: the stored and registered model; None where the job has finished before."""
    with led(root, place, lambda: begin(ports, root, asked, progress)) as run:
        if run is None:
            return None
        return finish(ports, run, trained_by(run, progress, place.part), progress)


def follow(root: Path, place: Place, wait_seconds: float, progress: Progress) -> None:
    """The others: their part of the run. Raises UnavailableError where worker 0 begins none."""
    progress(0.0, "waiting for worker 0 to begin the run")
    run = met(root, place, wait_seconds)
    if run is not None:
        grown_by(run, progress, place.part)


@contextmanager
def led(
    root: Path, place: Place, begun: Callable[[], AbstractContextManager[TrainingRun]]
) -> Iterator[TrainingRun | None]:
    """For worker 0: the run, begun or resumed; None where the job has finished before.

    Leaving without an error marks the job as finished and removes the run's folder.
    """
    meeting = _meeting(root, place)
    if meeting and meeting.finished:
        yield None
        return
    known = root / meeting.run if meeting else None
    with held(known) if known and known.exists() else begun() as run:
        _announce(root, place, _Meeting(run.folder.name))
        yield run
        _announce(root, place, _Meeting(run.folder.name, finished=True))
        remove(run)


def met(root: Path, place: Place, wait_seconds: float) -> TrainingRun | None:
    """For the others: the run that worker 0 has begun; None where the job has finished.

    Raises UnavailableError where it does not begin in time.
    """
    deadline = time.monotonic() + wait_seconds
    while (meeting := _meeting(root, place)) is None:
        if time.monotonic() > deadline:
            raise UnavailableError(
                "training", f"worker 0 of the job has begun no run in {root}: see its log"
            )
        time.sleep(_LOOK_SECONDS)
    return None if meeting.finished else read_run(root / meeting.run)


def _path(root: Path, place: Place) -> Path:
    return root / "jobs" / f"{place.job}.json"


def _meeting(root: Path, place: Place) -> _Meeting | None:
    try:
        return msgspec.json.decode(_path(root, place).read_bytes(), type=_Meeting)
    except FileNotFoundError:
        return None


def _announce(root: Path, place: Place, meeting: _Meeting) -> None:
    path = _path(root, place)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(meeting))
