"""Another `retrace` command as a subprocess, so that its memory is freed at its end."""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from typing import Any

from domain.errors import RetraceError
from runtime.settings import CHECKOUT, Settings

_END_SECONDS = 15.0


class CommandFailedError(RetraceError):
    """A command that the demo runs has failed; its own message says why."""


def json_output_of(
    arguments: Sequence[str], settings: Settings, fine: Collection[int] = (0,)
) -> dict[str, Any]:
    """The object that the command prints with --json. Its stderr goes to the user.

    Raises CommandFailedError for an exit code that is not among `fine`. On Ctrl-C the command is
    ended too, and waited for.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments, "--json"],
        stdout=subprocess.PIPE,
        env={**os.environ, **settings.environment()},
        cwd=CHECKOUT,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    if process.returncode not in fine:
        raise CommandFailedError(
            f"`retrace {arguments[0]}` failed with exit code {process.returncode}; see above"
        )
    answer: dict[str, Any] = json.loads(output)
    return answer
