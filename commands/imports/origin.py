"""Name and correlation id of an imported file, as its events hold them."""

import hashlib
from pathlib import Path

from commands.imports.readers.files.parts import files_of

_BLOCK = 1 << 20


def name_of(file: Path) -> str:
    """As text that can be stored: a name may hold bytes that are no characters."""
    return bytes(file.absolute().name, "utf-8", "surrogateescape").decode("utf-8", "replace")


def correlation_of(file: Path) -> str:
    """Name and content, so that importing a file again gives the same events to the bit.

    Of a folder those of all its files.
    """
    digest = hashlib.blake2b(digest_size=8)
    files = [(file, "")] if file.is_file() else files_of(file)
    for each, name in files:
        digest.update(name.encode("utf-8", "surrogateescape"))
        with each.open("rb") as content:
            while block := content.read(_BLOCK):
                digest.update(block)
    return f"{name_of(file)}#{digest.hexdigest()}"
