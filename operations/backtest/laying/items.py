"""Arrays in files of the spill: nothing but their items, so that any part is one read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.features.kernel.arrays import Ints

Items = npt.NDArray[Any]


def read_items(path: Path, begin: int, end: int, kind: Any, *width: int) -> Items:
    """Items [begin, end) of an array [n, *width] of that `kind`. Raises OSError."""
    items = np.empty((end - begin, *width), dtype=kind)
    fill_items(items, path, begin)
    return items


def fill_items(items: Items, path: Path, begin: int) -> None:
    """With what lies in the file from item `begin` on. Raises OSError."""
    left = items.reshape(-1).view(np.uint8).data
    with path.open("rb", buffering=0) as file:
        file.seek(begin * items.dtype.itemsize * int(np.prod(items.shape[1:])))
        while left:
            if not (read := file.readinto(left)):
                raise OSError(f"{path} ends too early")
            left = left[read:]


def mapped_items(path: Path) -> Ints:
    """A whole array [n] of int64, read as it is used. Raises OSError."""
    if not path.stat().st_size:
        return np.zeros(0, dtype=np.int64)
    return np.memmap(path, np.int64, "r")
