"""The files that an argument stands for: a file, a folder, a pattern, a zip archive, or stdin."""

import glob
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from commands.imports.readers.files.content import Part
from commands.imports.readers.files.kinds import foreign_archive
from domain.errors import InvalidInputError

STDIN = Path("-")
STDIN_NAME = "stdin"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BLOCK = 1 << 20
_PATTERN = "*?["
REJECTS_ENDING = ".rejects.ndjson"


def parts_of(path: Path) -> tuple[Part, ...]:
    """In the order of their names. Raises InvalidInputError.

    In a folder, files whose names begin with `.` or `_`, empty files and files of rejects are
    left out; its folders are searched too.
    """
    if path.exists() and not path.is_dir():
        return tuple(_of_file(path, path.name))
    return tuple(part for file, name in files_of(path) for part in _of_file(file, name))


def files_of(path: Path) -> list[tuple[Path, str]]:
    """The files of a folder or a pattern with their names. Raises InvalidInputError."""
    if path.is_dir():
        found = _in_folder(path)
    elif any(sign in str(path) for sign in _PATTERN):
        files = map(Path, sorted(glob.glob(str(path), recursive=True)))
        found = [(file, file.name) for file in files if _is_data(file)]
    else:
        raise InvalidInputError("FILE", f"{path} does not exist")
    if not found:
        raise InvalidInputError("FILE", f"{path} holds no file with data")
    return found


@contextmanager
def as_file(path: Path, given: IO[bytes] | None = None) -> Iterator[Path]:
    """The path itself; for `-` a file with all that stdin gave, which goes afterwards."""
    if path != STDIN:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="retrace-stdin-") as folder:
        spool = Path(folder) / STDIN_NAME
        source = given if given is not None else sys.stdin.buffer
        with spool.open("wb") as file:
            while block := source.read(_BLOCK):
                file.write(block)
        yield spool


def _in_folder(folder: Path) -> list[tuple[Path, str]]:
    found = []
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        hidden = any(part.startswith((".", "_")) for part in name.parts)
        if not hidden and _is_data(file):
            found.append((file, f"{folder.name}/{name}" if folder.name else str(name)))
    return found


def _is_data(file: Path) -> bool:
    return file.is_file() and not file.name.endswith(REJECTS_ENDING) and file.stat().st_size > 0


def _of_file(path: Path, name: str) -> Iterator[Part]:
    if not path.is_file():
        raise InvalidInputError("FILE", f"{path} is neither a file nor a folder")
    try:
        with path.open("rb") as file:
            zipped = file.read(4) in _ZIP
    except OSError as error:
        raise InvalidInputError("FILE", f"{path} cannot be read: {error.strerror}") from None
    if zipped:
        yield from _members(path, name)
    else:
        yield Part(_storable(name), path.stat().st_size, lambda: path.open("rb"), path)


def _members(path: Path, name: str) -> Iterator[Part]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            mime = b""
            if "mimetype" in names and not archive.getinfo("mimetype").flag_bits & 1:
                mime = archive.read("mimetype")[:100]
    except zipfile.BadZipFile:
        raise InvalidInputError(
            "FILE", f"{name} is a zip archive that is cut off or damaged: get the whole file"
        ) from None
    foreign = foreign_archive(names, mime)
    if foreign:
        raise InvalidInputError("FILE", f"{name} {foreign}")
    found = [member for member in members if _holds_data(member)]
    if not found:
        raise InvalidInputError("FILE", f"{name} is a zip archive without data")
    if any(member.flag_bits & 1 for member in found):
        raise InvalidInputError("FILE", f"{name} is an encrypted zip archive: unpack it first")
    for member in sorted(found, key=lambda each: each.filename):
        shown = name if len(found) == 1 else f"{name}/{member.filename}"
        yield Part(_storable(shown), member.file_size, lambda member=member: _open(path, member))  # type: ignore[misc]


def _holds_data(member: zipfile.ZipInfo) -> bool:
    hidden = any(part.startswith((".", "_")) for part in Path(member.filename).parts)
    return not member.is_dir() and not hidden and member.file_size > 0


def _open(path: Path, member: zipfile.ZipInfo) -> BinaryIO:
    try:
        return cast(BinaryIO, zipfile.ZipFile(path).open(member))
    except (NotImplementedError, zipfile.BadZipFile, RuntimeError) as error:
        raise InvalidInputError(
            "FILE", f"{path.name} is a zip archive that cannot be read: {error}"
        ) from None


def _storable(name: str) -> str:
    """A name may hold bytes that are no characters."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
