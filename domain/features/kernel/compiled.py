"""Owns how kernel functions are compiled and where the machine code is kept; holds none of them."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

_HERE = Path(__file__).parent


def _sources() -> str:
    digest = sha256()
    for path in sorted([*_HERE.rglob("*.py"), _HERE.parent / "rows.py"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# The compiler's own cache looks at one file at a time, and a function holds code of several: so
# the folder is named for all of them. Where it cannot be made the user's cache is taken.
numba.config.CACHE_DIR = str(_HERE / "__pycache__" / _sources())


def compiled(function: F) -> F:
    """To machine code at its first call, kept for the next process; runs without the GIL.

    Exact IEEE arithmetic: no reassociation, no fused operations.
    """
    made: F = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=False)(function)
    return made
