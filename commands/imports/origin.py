"""Name and correlation id of an imported file, as its events hold them."""

import hashlib
from pathlib import Path


def name_of(file: Path) -> str:
    """As text that can be stored: a name may hold bytes that are no characters."""
    return bytes(file.absolute().name, "utf-8", "surrogateescape").decode("utf-8", "replace")


def correlation_of(file: Path) -> str:
    """Name and content, so that importing a file again gives the same events to the bit."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=8))
    return f"{name_of(file)}#{digest.hexdigest()}"
