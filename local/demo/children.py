"""Owns running another command of ours in a process of its own, which gives its memory back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from domain.errors import RetraceError
from runtime.settings import CHECKOUT, Settings

_END_SECONDS = 15.0


class CommandFailedError(RetraceError):
    """A command that the demo is made of has failed; it has said why."""


def answer_of(arguments: Sequence[str], settings: Settings) -> dict[str, Any]:
    """The object that the command prints with --json. What it shows on stderr is seen by the user.

    Raises CommandFailedError. The command ends with us: on Ctrl-C it is told to, and waited for.
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
    if process.returncode:
        raise CommandFailedError(
            f"`retrace {arguments[0]}` ended with {process.returncode}; see above"
        )
    answer: dict[str, Any] = json.loads(output)
    return answer
