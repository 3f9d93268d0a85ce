"""`retrace up`, `down`, `status`, `logs`, `env`: the local stack; `prepare`: servers of yours."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from local.stack.terminal import TerminalProgress
    from runtime.settings import Settings

_Port = Annotated[int | None, typer.Option("--port", help="Port of the API.", show_default="8000")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def register(app: typer.Typer) -> None:
    for command in (up, down, status, logs, env, prepare):
        app.command()(command)


def up(
    port: _Port = None,
    servers_only: Annotated[
        bool,
        typer.Option("--servers-only", help="Start only Kafka, Redis, PostgreSQL and MongoDB."),
    ] = False,
    as_json: _Json = False,
) -> None:
    """Start the local stack, and wait until all of it is ready."""
    from local.stack.control import LocalStack
    from runtime.processes.prepare import prepare
    from runtime.settings import load_settings

    given = {"api_port": port} if port else {}
    settings = _settings(**given)
    progress = _progress()
    with progress.shown():
        LocalStack(settings, progress).up(
            lambda: prepare(load_settings(**given), progress.step), apps=not servers_only
        )
    _print_status(settings, as_json)


def down() -> None:
    """Stop what `up` started. Data is kept."""
    from local.stack.control import LocalStack

    progress = _progress()
    with progress.shown():
        progress.say("Stopping the local stack")
        stopped = LocalStack(_settings(), progress).down()
    progress.say("Stopped." if stopped else "Nothing was running.")


def status(as_json: _Json = False) -> None:
    """Show the state and URL of each server and worker."""
    _print_status(_settings(), as_json)


def logs(
    name: Annotated[
        str, typer.Argument(help="kafka, redis, postgres, mongodb, api, worker-…")
    ] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 40,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new lines until Ctrl-C.")
    ] = False,
) -> None:
    """Print the last lines of a log file, or of all."""
    from cli.stack.log_files import print_logs
    from runtime.settings import settings_from_environment

    print_logs(settings_from_environment().state_dir / "logs", name, lines, follow)


def env() -> None:
    """Print the settings as shell exports: eval "$(./retrace env)"."""
    from runtime.settings import load_settings

    for name, value in load_settings().environment().items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def prepare() -> None:
    """Make servers ready that the settings name: tables, topics, keys, features, a first model.

    `up` does it too. It may be repeated, and run on several hosts at once.
    """
    from runtime.processes import prepare as preparation
    from runtime.settings import load_settings

    preparation.prepare(load_settings(), _progress().say)


def _settings(**given: Any) -> Settings:
    from local.stack.services import without_own_urls
    from runtime.settings import settings_from_environment

    return without_own_urls(settings_from_environment(**given))


def _progress() -> TerminalProgress:
    from rich.console import Console

    from local.stack.terminal import TerminalProgress

    return TerminalProgress(Console(stderr=True))


def _print_status(settings: Settings, as_json: bool) -> None:
    from rich.console import Console

    from local.stack.control import LocalStack
    from local.stack.status import read_status
    from local.stack.terminal import status_table

    LocalStack(settings, _progress()).stop_orphans()
    found = read_status(settings)
    if as_json:
        typer.echo(json.dumps(found.to_json(settings)))
        return
    console = Console(file=sys.stdout)
    console.print(f"The local stack is {found.state}. State folder: {settings.state_dir}",
                  highlight=False, soft_wrap=True)  # fmt: skip
    console.print(status_table(found))
    for each in found.services:
        if each.state == "crashing":
            console.print(f"\n{each.name} {each.detail}\nIts log: {each.log}", markup=False)
