"""Digest of the source of packages: shows whether something was made by other code."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from host.checkout import CHECKOUT


def source_files(packages: Sequence[str]) -> list[Path]:
    """Every module below these packages (dotted names), in the order in which they are hashed."""
    return [
        path
        for name in packages
        for path in sorted((CHECKOUT / name.replace(".", "/")).rglob("*.py"))
    ]


def source_digest(packages: Sequence[str], *also: str) -> str:
    """16 hexadecimal characters that follow from the source of `packages` and from `also`."""
    digest = hashlib.sha256("\0".join(also).encode())
    for path in source_files(packages):
        digest.update(str(path.relative_to(CHECKOUT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
