"""Screen of a running demo, on stderr: live in a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local.demo.live.figures import Figures, caught, percentile

_PER_SECOND = 4
_LINE_SECONDS = 5.0


class Bars:
    """A progress bar per name; where stderr is no terminal, a line every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._printed: dict[str, float] = {}
        self._progress = Progress(
            TextColumn("  {task.description:<10}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, name: str, done: int, total: int) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=max(total, 1))
        self._progress.update(self._tasks[name], completed=done if total else 1)
        now = monotonic()
        if not self._console.is_terminal and now - self._printed.get(name, 0) > _LINE_SECONDS:
            self._printed[name] = now
            self._console.print(f"{name}: {done:,} of {total:,}", highlight=False)


class LiveScreen:
    """Shows the figures while other threads write them."""

    def __init__(self, console: Console, figures: Figures, seconds: float) -> None:
        self._console, self._figures, self._seconds = console, figures, seconds
        self._started = monotonic()
        self.phase = "live"

    @contextmanager
    def shown(self) -> Iterator[None]:
        self._started = monotonic()
        if self._console.is_terminal:
            with Live(
                console=self._console,
                get_renderable=self.render,
                refresh_per_second=_PER_SECOND,
                transient=True,
            ):
                yield
            return
        stop = threading.Event()
        printer = threading.Thread(target=self._print_lines, args=(stop,), daemon=True)
        printer.start()
        try:
            yield
        finally:
            stop.set()
            printer.join()

    def render(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        for name, value in rows(self._figures, self._elapsed).items():
            table.add_row(name, value)
        bar = ProgressBar(total=self._seconds, completed=min(self._elapsed, self._seconds))
        body = Group(table, Text(""), bar)
        return Panel(body, title=self._title(), border_style="blue", padding=(1, 2))

    @property
    def _elapsed(self) -> float:
        return max(monotonic() - self._started, 1e-3)

    def _title(self) -> str:
        if self.phase != "live":
            return f"retrace demo: {self.phase}"
        shown = min(self._elapsed, self._seconds)
        return f"retrace demo: live, {shown:.0f} of {self._seconds:.0f} s"

    def _print_lines(self, stop: threading.Event) -> None:
        while not stop.wait(_LINE_SECONDS):
            found = rows(self._figures, self._elapsed).items()
            line = "; ".join(f"{name} {value}" for name, value in found)
            self._console.print(f"{self._elapsed:.0f} s: {line}", highlight=False, markup=False)


def rows(figures: Figures, elapsed: float) -> dict[str, str]:
    """The figures as text, in the order of the screen."""
    sent, found = len(figures.sent), caught(figures)
    rate = sent / elapsed
    errors = sum(figures.errors.values())
    shown: dict[str, str] = {
        "sent": f"{sent:,} ({rate:.0f}/s), half by HTTP, half by Kafka; {figures.labels} labels",
        "decided": f"{len(figures.decisions):,}, {len(figures.waiting)} waiting",
        "latency": f"{quantiles(figures.latencies)} (HTTP, as the client sees it)",
        "freshness": f"{quantiles(figures.freshness)} (decision to readable feature)",
        "lag": ", ".join(f"{name} {lag:,}" for name, lag in figures.lags.items()) or "-",
        "alerts": f"{figures.alerts:,}",
        "fraud": f"{found.caught} caught, {found.missed} missed, {found.false_alarms} false alarms",
    }
    if errors:
        shown["errors"] = ", ".join(f"{what} {n}" for what, n in list(figures.errors.items()))
    return shown


def quantiles(milliseconds: list[float]) -> str:
    values: Any = list(milliseconds)
    median, high = percentile(values, 0.5), percentile(values, 0.99)
    if median is None or high is None:
        return "p50 -, p99 -"
    return f"p50 {median:.1f} ms, p99 {high:.1f} ms"
