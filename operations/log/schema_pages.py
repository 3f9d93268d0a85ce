"""The published schemas of events: write the files of a folder, or check that they are current."""

from pathlib import Path

from domain.errors import IntegrityError
from eventlog.schemas.asyncapi import pages
from host.files import write_whole


def write_schemas(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        write_whole(folder / name, text.encode())


def check_schemas(folder: Path) -> None:
    """Raises IntegrityError naming the files that differ from what the code declares."""
    stale = [
        name
        for name, text in pages().items()
        if not (folder / name).is_file() or (folder / name).read_text() != text
    ]
    if stale:
        raise IntegrityError(
            f"docs/events is out of date ({', '.join(stale)}): "
            "run `./retrace events schemas --write`"
        )


def asyncapi() -> str:
    """The AsyncAPI document of the log, in YAML."""
    return pages()["asyncapi.yaml"]
