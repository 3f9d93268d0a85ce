"""Owns a training whose workers are started elsewhere, as by a Kubernetes Job, over one folder.

Worker 0 reads the log, begins the run and tells its key in `jobs/<job>.json`; the others wait for
that. A worker whose peer is lost ends with an error; all are to be started again, and go on from
the last checkpoint.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from domain.errors import SettingsError, UnavailableError
from host.files import write_whole, writing
from inference.training.fitting.cluster import Cluster
from operations.training.runs import TrainingRun, held, read_run, remove

_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Worker `index` of `workers`; each listens on `port` of the host `{name}-{index}.{service}`.

    `job` tells one Job from another that bears its name.
    """

    job: str
    index: int
    workers: int
    name: str
    service: str
    port: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.workers:
            raise SettingsError(
                f"JOB_COMPLETION_INDEX: {self.index} is none of {self.workers} workers"
                " (RETRACE_TRAINING_WORKERS)"
            )

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.workers, self.index)

    def tf_config(self) -> str:
        """What TensorFlow reads from TF_CONFIG."""
        hosts = [f"{self.name}-{i}.{self.service}:{self.port}" for i in range(self.workers)]
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": hosts}, "task": task})


@dataclass(frozen=True, slots=True)
class _Meeting:
    run: str
    finished: bool = False


@contextmanager
def led(
    root: Path, place: Place, begin: Callable[[], AbstractContextManager[TrainingRun]]
) -> Iterator[TrainingRun | None]:
    """For worker 0: the run, begun or taken up; None where the job has finished before.

    Leaving without an error finishes it and removes the run's folder.
    """
    told = _told(root, place)
    if told and told.finished:
        yield None
        return
    known = root / told.run if told else None
    with held(known) if known and known.exists() else begin() as run:
        _tell(root, place, _Meeting(run.folder.name))
        yield run
        _tell(root, place, _Meeting(run.folder.name, finished=True))
        remove(run)


def met(root: Path, place: Place, wait_seconds: float) -> TrainingRun | None:
    """For the others: the run that worker 0 has begun; None where the job has finished.

    Raises UnavailableError where it does not begin in time.
    """
    deadline = time.monotonic() + wait_seconds
    while (told := _told(root, place)) is None:
        if time.monotonic() > deadline:
            raise UnavailableError(
                "training", f"worker 0 of {place.name} has begun no run in {root}: see its log"
            )
        time.sleep(_LOOK_SECONDS)
    return None if told.finished else read_run(root / told.run)


def _path(root: Path, place: Place) -> Path:
    return root / "jobs" / f"{place.job}.json"


def _told(root: Path, place: Place) -> _Meeting | None:
    try:
        return msgspec.json.decode(_path(root, place).read_bytes(), type=_Meeting)
    except FileNotFoundError:
        return None


def _tell(root: Path, place: Place, meeting: _Meeting) -> None:
    path = _path(root, place)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(meeting))
