"""Worker processes of a training on this machine: started, supervised and restarted together.

No worker can go on without all: when one ends early the others are stopped, and all start again
from the last checkpoint. They end with the process that started them.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread

from domain.errors import RetraceError, UnavailableError
from host.checkout import CHECKOUT
from host.ports import free_ports
from host.processes import die_with_parent
from inference.frame.progress import Progress
from inference.training.fitting.checkpoints import Checkpoints
from inference.training.train import TrainedModel
from operations.training.runs import TrainingRun, result_of

REFUSED = 3
"""Exit code of a worker whose error a restart would not mend; its log ends with the error."""

_STARTS = 3  # without a new epoch in between


@dataclass(frozen=True, slots=True)
class _Output:
    """A line of a worker's stdout, or its exit code."""

    worker: int
    line: str = ""
    code: int | None = None


def trained_by_workers(run: TrainingRun, progress: Progress) -> TrainedModel:
    """The model of a run of several workers, from its last checkpoint on.

    Raises UnavailableError where workers keep ending without a new epoch, RetraceError with what a
    worker refused.
    """
    starts, kept = 0, Checkpoints(run.folder).epochs()
    while True:
        starts += 1
        ended = _attempt(run, progress)
        if ended is None:
            return result_of(run)
        if ended.code == REFUSED:
            raise RetraceError(_last_line(_log(run, ended.worker)))
        before, kept = kept, Checkpoints(run.folder).epochs()
        starts = 0 if kept > before else starts
        if starts >= _STARTS:
            raise UnavailableError(
                "training workers",
                f"worker {ended.worker} {_in_words(ended.code)} {starts} times without a new epoch:"
                f" see {_log(run, ended.worker)}",
            )
        progress(0.0, f"worker {ended.worker} {_in_words(ended.code)}: all start again")


def _attempt(run: TrainingRun, progress: Progress) -> _Output | None:
    """The first worker to end early; None where all have done their part."""
    outputs: Queue[_Output] = Queue()
    count = run.asked.workers
    with ExitStack() as stack:
        peers = [f"127.0.0.1:{port}" for port in free_ports(count)]
        for index in range(count):
            process = stack.enter_context(_started(run, index, peers))
            Thread(target=_read, args=(index, process, outputs), daemon=True).start()
        done = 0
        while done < count:
            output = outputs.get()
            if output.code is None:
                _pass_on(output, progress)
            elif output.code:
                return output
            else:
                done += 1
    return None


@contextmanager
def _started(run: TrainingRun, index: int, peers: list[str]) -> Iterator[subprocess.Popen[str]]:
    with _log(run, index).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "train-worker", str(run.folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=CHECKOUT,
            env={**os.environ, **_environment(index, peers)},
            start_new_session=True,  # Ctrl-C is for the one that started it
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _environment(index: int, peers: list[str]) -> Mapping[str, str]:
    task = {"cluster": {"worker": peers}, "task": {"type": "worker", "index": index}}
    threads = max(1, (os.cpu_count() or 1) // len(peers))
    return {
        "TF_CONFIG": json.dumps(task),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "no_grpc_proxy": "127.0.0.1",
    }


def _read(index: int, process: subprocess.Popen[str], outputs: Queue[_Output]) -> None:
    with process.stdout or open(os.devnull) as lines:
        for line in lines:
            outputs.put(_Output(index, line))
    outputs.put(_Output(index, code=process.wait()))


def _pass_on(output: _Output, progress: Progress) -> None:
    """Progress of the first worker; the others are at the same place."""
    if output.worker:
        return
    line = json.loads(output.line)
    progress(line["done"], line["text"])


def _log(run: TrainingRun, index: int) -> Path:
    return run.folder / f"worker-{index}.log"


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "").removeprefix("retrace: ")


def _in_words(code: int | None) -> str:
    return f"was killed (signal {-code})" if code and code < 0 else f"failed (exit {code})"
