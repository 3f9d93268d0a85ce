"""Training from a flat file: from its rows to a stored model, without any server.

The model is not registered, for there may be no log.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from inference.evaluation.gate.plausibility import doubts_about
from inference.evaluation.gate.report import GateLimits
from inference.frame.progress import Progress
from inference.training.train import TrainSettings
from operations.log.imports import ImportOptions
from operations.progress import steps_of
from operations.training.file_frame import Cleaning, FileEvents, frame_of_file
from operations.training.results import ModelOutput, TrainingResult
from operations.training.runs import Asked, TrainingRun, begun, remove, trained_by


@contextmanager
def begin(
    root: Path,
    options: ImportOptions,
    cleaning: Cleaning,
    as_known_at: int | None,
    chosen: TrainSettings,
    progress: Progress,
    warn: Callable[[str], None],
) -> Iterator[tuple[TrainingRun, FileEvents]]:
    """The run below the folder `root`; `warn` takes how many rows were rejected, if any.

    Raises InvalidInputError, and as `runs.begun`.
    """
    frame, read = frame_of_file(options, cleaning, as_known_at, *steps_of(progress))
    if read.summary.rejected:
        warn(read.rejected)
    with begun(root, Asked(frame.as_known_at, "file", chosen, promote=False), frame) as run:
        yield run, read


def train_run(
    output: ModelOutput, run: TrainingRun, file: Path, progress: Progress
) -> TrainingResult:
    """Fits and stores; the run's folder is removed."""
    source = f"the file {file.name}, laid out as an import would"
    trained = trained_by(run, progress)
    result = output.store(trained, source)
    remove(run)
    return replace(result, doubts=doubts_about(trained.validated, GateLimits()))
