"""Compilation of kernel functions by numba, and where the machine code is cached."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])

_HERE = Path(__file__).parent


def _sources() -> str:
    digest = sha256()
    for path in sorted([*_HERE.rglob("*.py"), _HERE.parent / "coordinates.py"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# numba's cache checks one source file per function, but a function inlines code of several: so the
# name of the folder covers all of them. Where it cannot be made, numba takes the user's cache.
numba.config.CACHE_DIR = str(_HERE / "__pycache__" / _sources())


def compiled(function: F) -> F:
    """To machine code at its first call, kept for the next process; runs without the GIL.

    Exact IEEE arithmetic: no reassociation, no fused operations.
    """
    made: F = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=False)(function)
    return made
