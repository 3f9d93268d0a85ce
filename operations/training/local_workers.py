"""Worker processes of a training on this machine: started beside this one, and started again.

This process is worker 0. Another one that ends early goes on from the trees that it had grown. All
end with this process.
"""

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from domain.errors import RetraceError, UnavailableError
from host.checkout import CHECKOUT
from host.processes import die_with_parent
from inference.frame.progress import Progress
from inference.training.fitting.fit import Workers
from inference.training.fitting.kept_trees import KeptTrees
from inference.training.train import TrainedModel
from operations.training.runs import TrainingRun, trained_by

REFUSED = 3
"""Exit code of a worker whose error a restart would not mend; its log ends with the error."""

_STARTS = 3  # without new trees in between


def trained_by_workers(run: TrainingRun, progress: Progress) -> TrainedModel:
    """The model of a run of several workers, from the trees on that are there.

    Raises UnavailableError where a worker keeps ending without new trees, RetraceError with what a
    worker refused.
    """
    count = run.asked.workers
    with ExitStack() as stack:
        others = [_Worker(run, index, progress) for index in range(1, count)]
        for other in others:
            stack.callback(other.end)
            other.start()

        def watch() -> None:
            for other in others:
                other.watch()

        return trained_by(run, progress, Workers(count), watch)


class _Worker:
    """A process that is started again when it ends early."""

    def __init__(self, run: TrainingRun, index: int, progress: Progress) -> None:
        self._run, self._index, self._progress = run, index, progress
        self._log = run.folder / f"worker-{index}.log"
        self._kept, self._starts = 0, 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        kept = KeptTrees(self._run.folder).count()
        self._starts = 1 if kept > self._kept else self._starts + 1
        self._kept = kept
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "train-worker", str(self._run.folder),
                 "--index", str(self._index)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=CHECKOUT,
                start_new_session=True,  # Ctrl-C is for the one that started it
                preexec_fn=die_with_parent(signal.SIGKILL),
            )  # fmt: skip

    def watch(self) -> None:
        """Raises UnavailableError or RetraceError where it is of no use to start it again."""
        code = self._process.poll() if self._process else None
        if not code:
            return
        if code == REFUSED:
            raise RetraceError(_last_line(self._log))
        ended = f"worker {self._index} {_in_words(code)}"
        if self._starts >= _STARTS:
            raise UnavailableError(
                "training workers", f"{ended} {_STARTS} times without new trees: see {self._log}"
            )
        self._progress(0.0, f"{ended}: it starts again")
        self.start()

    def end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "").removeprefix("retrace: ")


def _in_words(code: int) -> str:
    return f"was killed (signal {-code})" if code < 0 else f"failed (exit {code})"
