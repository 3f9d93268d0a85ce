"""Child processes: session, log file, user and death signal. runner.py says when they start."""

import asyncio
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

from host.processes import die_with_parent
from local.stack.errors import StackError

_LOG_LIMIT = 10_000_000


async def start(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    account: tuple[int, int] | None = None,
    folder: Path | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> Process:
    """Start in a session of its own, so that all its descendants can be found and ended."""
    user, group = account or (None, None)
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            env=dict(environment) if environment is not None else None,
            cwd=folder,
            start_new_session=True,
            # Runs after the change of user, which would clear the death signal.
            preexec_fn=die_with_parent(death_signal),
            user=user,
            group=group,
            extra_groups=[] if account else None,
        )


async def run_to_end(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    account: tuple[int, int] | None = None,
    folder: Path | None = None,
) -> None:
    """Run a command until it ends. Raises StackError with the end of its log if it fails."""
    process = await start(command, log=log, environment=environment, account=account, folder=folder)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if code:
        raise StackError(f"{Path(command[0]).name} ended with code {code}:\n{tail(log)}")


def tail(log: Path, lines: int = 12) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def rotate(log: Path, limit: int = _LOG_LIMIT) -> None:
    """Keep one older file. The log itself is emptied, because the child has it open."""
    if not log.exists() or log.stat().st_size <= limit:
        return
    with log.open("r+b") as file, log.with_name(f"{log.name}.1").open("wb") as older:
        while block := file.read(1 << 20):
            older.write(block)
        file.truncate(0)
