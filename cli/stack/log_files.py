"""Log files on the screen: their last lines, and new ones as they come."""

import time
from collections import deque
from pathlib import Path

import typer

from domain.errors import NotFoundError


def print_logs(folder: Path, name: str, lines: int, follow: bool) -> None:
    files = _files(folder, name)
    for file in files:
        label = "" if name else f"{file.stem:18} "
        with file.open(errors="replace") as content:
            for line in deque(content, maxlen=lines):
                typer.echo(f"{label}{line.rstrip()}")
    if follow:
        _follow({file: file.stat().st_size for file in files}, bool(name))


def _files(folder: Path, name: str) -> list[Path]:
    if name:
        file = folder / f"{name}.log"
        if not file.exists():
            known = ", ".join(sorted(each.stem for each in folder.glob("*.log"))) or "none yet"
            raise NotFoundError("log", f"{name} (there are: {known})")
        return [file]
    return sorted(folder.glob("*.log"))


def _follow(positions: dict[Path, int], single: bool) -> None:
    while True:
        for file, position in positions.items():
            size = file.stat().st_size
            # A smaller file was rotated: read it from its beginning.
            with file.open("rb") as content:
                content.seek(position if size >= position else 0)
                for line in content.read().decode(errors="replace").splitlines():
                    typer.echo(line if single else f"{file.stem:18} {line}")
                positions[file] = content.tell()
        time.sleep(0.3)
