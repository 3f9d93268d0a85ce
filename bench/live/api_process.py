"""An API process of its own on the servers of an installation."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

from host.processes import wait_until
from local.stack.errors import StackError
from local.stack.probes import http_answers
from runtime.settings import CHECKOUT, Settings

_READY_SECONDS, _STOP_SECONDS = 120.0, 30.0


@contextmanager
def api_process(
    settings: Settings, module: Sequence[str], instance: str, port: int
) -> Iterator[psutil.Process]:
    """`module` with its arguments, once it is ready; it is stopped at the end. Raises StackError"""
    environment = {
        **os.environ,
        **settings.environment(),
        "PYTHONPATH": str(CHECKOUT),
        "RETRACE_INSTANCE": instance,
        "RETRACE_API_PORT": str(port),
    }
    command = [sys.executable, "-m", *module]
    with (settings.state_dir / "logs" / f"{instance}-measured.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=log, stderr=log)

    def answers() -> bool:
        return asyncio.run(http_answers(settings.api_host, port, "/ready"))

    try:
        ready = wait_until(lambda: answers() or process.poll() is not None, _READY_SECONDS)
        if not ready or process.poll() is not None:
            raise StackError(f"the API process {instance} does not start: see {log.name}")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
