"""The stack in a terminal: progress on stderr, and the table of `retrace status`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from local.stack.status import ServiceStatus, StackStatus

_COLOURS = {
    "running": "green",
    "external": "cyan",
    "crashing": "bold red",
    "stopped": "dim",
    "starting": "yellow",
    "waiting": "dim",
}


def without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


class TerminalProgress:
    """A live line per service; plain lines where stderr is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._seen: dict[str, str] = {}
        self._spinner = Spinner("dots")
        self._line = Spinner("dots")

    @contextlib.contextmanager
    def shown(self) -> Iterator[TerminalProgress]:
        with Live(console=self._console, transient=True, refresh_per_second=10) as live:
            self._live = live if self._console.is_terminal else None
            try:
                yield self
            finally:
                self._live = None

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False)

    def step(self, name: str) -> None:
        self._show(name, "preparing")

    def jars(self, done: int, of: int) -> None:
        self._show("jars", f"{done} of {of}", quiet=0 < done < of)

    def services(self, status: StackStatus, names: Iterable[str]) -> None:
        wanted = set(names)
        listed = [each for each in status.services if each.name in wanted]
        for each in listed:
            if self._seen.get(each.name) != each.state:
                self._seen[each.name] = each.state
                if self._live is None and each.state != "waiting":
                    self.say(f"{each.name}: {each.state}")
        if self._live is not None:
            self._live.update(self._table(listed))

    def _show(self, name: str, text: str, *, quiet: bool = False) -> None:
        if self._live is not None:
            self._line.update(text=Text(f"{name}: {text}"))
            self._live.update(self._line)
        elif not quiet:
            self.say(f"{name}: {text}")

    def _table(self, listed: list[ServiceStatus]) -> Table:
        table = Table.grid(padding=(0, 2))
        for each in listed:
            busy = each.state in ("starting", "waiting")
            mark = self._spinner if busy else Text("●", style=_COLOURS.get(each.state, ""))
            table.add_row(mark, each.name, Text(each.state, style=_COLOURS.get(each.state, "")))
        return table


def status_table(status: StackStatus) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("SERVICE", "STATE", "PID", "RESTARTS", "URL"):
        justify = "right" if title in ("PID", "RESTARTS") else "left"
        table.add_column(title, justify=justify, no_wrap=title != "URL", overflow="fold")  # type: ignore[arg-type]
    for each in status.services:
        table.add_row(
            each.name,
            Text(each.state, style=_COLOURS.get(each.state, "")),
            str(each.pid or "-"),
            str(each.restarts),
            without_password(each.url or "-"),
        )
    return table
