"""Worker processes on a test's log, which tests start, kill and start again."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from runtime.processes.worker import VERBOSE, work
from runtime.settings import CHECKOUT, Settings, load_settings
from runtime.telemetry.logs import log_to_stderr
from tests.builders.workers.history import until


class WorkerProcess:
    """One worker in a process of its own; `log` holds what it says.

    Several of one name are told apart by `instance`, which each has a state folder for.
    """

    def __init__(
        self, name: str, settings: Settings, prefix: str, log: Path, instance: str = ""
    ) -> None:
        self._command = [sys.executable, "-m", "tests.builders.workers.process", name, prefix]
        self._environment = {**os.environ, **settings.environment(), "PYTHONPATH": str(CHECKOUT)}
        if instance:
            folder = str(settings.state_dir / instance)
            self._environment |= {"RETRACE_INSTANCE": instance, "RETRACE_STATE_DIR": folder}
        self.log = log
        self._ready = log.with_suffix(".ready")
        self._environment["RETRACE_READY_FILE"] = str(self._ready)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._ready.unlink(missing_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=output, stderr=output, cwd=CHECKOUT
            )

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """The exit status after SIGTERM, which waits until its partitions are assigned.

        A process that is still being started has no handler for signals: it would just die of it.
        """
        until(lambda: self._ready.exists() or self._has_ended(), what=f"{self.log.stem}, ready,")
        return self._end(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
            raise


if __name__ == "__main__":
    log_to_stderr("worker", "INFO", "text", quiet=VERBOSE)
    asyncio.run(work(sys.argv[1], load_settings(), topic_prefix=sys.argv[2]))
