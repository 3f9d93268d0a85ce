"""Folders of training runs: begun, locked, resumed after an interruption, and removed.

<state folder>/training/<key>/run.json              what was asked for
                              *.npy, frame.json     the frame
                              earlier-0.npz, ...    the trees of each fit, in blocks
                              worker-*.log          the stderr of each

The key is the digest of what was asked for, the frame and the code: a run that is asked for again
goes on where it was interrupted. The process that trains holds the lock of the folder.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from domain.errors import ConflictError, IntegrityError, InvalidInputError
from host.clock import now_us
from host.files import write_whole, writing
from host.source_digest import source_digest
from inference.frame.frame import Frame, measured_part, split_by_time, without_constants
from inference.frame.progress import Progress
from inference.frame.stored import store_frame, stored_frame
from inference.training.fitting.fit import ALONE, Run, Waiting, Workers, nothing
from inference.training.fitting.kept_trees import KeptTrees
from inference.training.train import TrainedModel, TrainSettings, grow_part, train
from operations.run_folders import is_held, locked, remove_folder, sweep

T = TypeVar("T")
_RUN = "run.json"
# The code that a fit depends on, besides its frame: a run of other code is not resumed.
SOURCES = ("inference",)


@dataclass(frozen=True, slots=True)
class Asked:
    """`as_known_at` in microseconds UTC; `features` ideal or served; `workers` at least 1.

    `promote`: put it in force where the gate lets it pass; with `force` even where not."""

    as_known_at: int
    features: str
    settings: TrainSettings
    workers: int = 1
    promote: bool = True
    force: bool = False


@dataclass(frozen=True, slots=True)
class _Header:
    """What of run.json every version can read; `begun` in microseconds UTC."""

    begun: int
    code: str


@dataclass(frozen=True, slots=True)
class _Stored:
    asked: Asked
    begun: int
    code: str


@dataclass(frozen=True, slots=True)
class TrainingRun:
    folder: Path
    asked: Asked
    begun: int
    code: str

    def write(self, folder: Path) -> None:
        stored = _Stored(self.asked, self.begun, self.code)
        write_whole(folder / _RUN, msgspec.json.encode(stored))


def trained_by(
    run: TrainingRun, progress: Progress, workers: Workers = ALONE, waiting: Waiting = nothing
) -> TrainedModel:
    """The model of a run, from the trees on that are there; `workers` are all that grow them.

    `waiting` is called now and then while others grow theirs.
    """
    here = _here(run, workers, waiting)
    return train(stored_frame(run.folder), run.asked.settings, progress, here)


def grown_by(run: TrainingRun, progress: Progress, workers: Workers) -> None:
    """The part of another worker than the one that trains."""
    settings = run.asked.settings
    grow_part(stored_frame(run.folder), settings, progress, _here(run, workers, nothing))


def _here(run: TrainingRun, workers: Workers, waiting: Waiting) -> Run:
    threads = max(1, (os.cpu_count() or 1) // run.asked.workers)
    return Run(workers, KeptTrees(run.folder), threads, waiting)


def later_rows(run: TrainingRun) -> Frame:
    """What the run's model is measured on, with every feature of the run."""
    whole = stored_frame(run.folder)
    return measured_part(whole, whole.names)


@contextmanager
def begun(root: Path, asked: Asked, frame: Frame) -> Iterator[TrainingRun]:
    """The run, resumed where one of the same key was interrupted; locked meanwhile.

    Raises InvalidInputError where there are too few labels, UnavailableError where the disk is
    full, ConflictError where another process has that very run.
    """
    frame = without_constants(frame)
    split_by_time(frame)  # for what it refuses, before anything is written
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        sweep(root)
        staging = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
    with locked(staging):
        try:
            digest = store_frame(frame, staging)
            folder = root / _key(asked, digest)
            if not folder.exists():
                run = TrainingRun(folder, asked, now_us(), _code())
                run.write(staging)
                with writing(folder):
                    staging.rename(folder)
                yield run
                return
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    with held(folder) as found:
        run = replace(found, asked=asked)
        run.write(folder)
        yield run


@contextmanager
def interrupted(root: Path) -> Iterator[TrainingRun]:
    """The last run that was interrupted. Raises InvalidInputError where there is none, and
    ConflictError where another version of the training code began it."""
    runs = sorted(_headers(root), key=lambda found: found[1].begun, reverse=True)
    for folder, header in runs:
        if is_held(folder):
            continue
        if header.code != _code():
            raise ConflictError(
                folder.name,
                f"the training run in {folder} was begun by another version of the training code:"
                " resumed, it would end with another model. Train anew, without --resume; the"
                " folder is removed once that has ended",
            )
        with held(folder) as found:
            yield found
        return
    busy = f"; {len(runs)} in progress" if runs else ""
    raise InvalidInputError("--resume", f"no training run was interrupted in {root}{busy}")


@contextmanager
def held(folder: Path) -> Iterator[TrainingRun]:
    """The run of a folder. Raises ConflictError where another process has it, IntegrityError."""
    with locked(folder):
        yield read_run(folder)


def remove(run: TrainingRun) -> None:
    """The folder of a finished run, and those of runs that were interrupted before it began."""
    for folder, header in list(_headers(run.folder.parent)):
        if header.begun < run.begun and not is_held(folder):
            remove_folder(folder)
    remove_folder(run.folder)


def read_run(folder: Path) -> TrainingRun:
    """Raises IntegrityError where the folder holds none."""
    stored = _read(folder, _Stored)
    return TrainingRun(folder, stored.asked, stored.begun, stored.code)


def _headers(root: Path) -> Iterator[tuple[Path, _Header]]:
    for path in root.glob(f"*/{_RUN}"):
        if not path.parent.name.startswith("."):
            yield path.parent, _read(path.parent, _Header)


def _read(folder: Path, shape: type[T]) -> T:
    try:
        return msgspec.json.decode((folder / _RUN).read_bytes(), type=shape)
    except (OSError, msgspec.MsgspecError) as error:
        raise IntegrityError(f"{folder / _RUN} cannot be read ({error}): remove {folder}") from None


def _key(asked: Asked, frame: str) -> str:
    content = msgspec.json.encode(
        [asked.as_known_at, asked.features, asked.settings, frame, _code()]
    )
    return hashlib.sha256(content).hexdigest()[:16]


def _code() -> str:
    return source_digest(SOURCES)
