"""A PagerDuty of its own process, which tests kill: `python -m tests.builders.alerts.process`."""

import subprocess
import sys
import threading
from pathlib import Path

from runtime.settings import CHECKOUT
from tests.builders.alerts.receivers import Receiver


class ReceiverProcess:
    """Takes events on one port whenever it runs; `journal` outlives it."""

    def __init__(self, port: int, journal: Path) -> None:
        self._command = [
            sys.executable,
            "-m",
            "tests.builders.alerts.process",
            str(port),
            str(journal),
        ]
        self.url = f"http://127.0.0.1:{port}/v2/enqueue"
        self.journal = journal
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=CHECKOUT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)


if __name__ == "__main__":
    Receiver("pagerduty", int(sys.argv[1]), Path(sys.argv[2]))
    threading.Event().wait()
