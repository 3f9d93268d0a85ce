"""Training frame as files that several processes map into memory."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import IntegrityError
from domain.features.payments import Payments
from host.files import write_whole, writing
from inference.frame.frame import Frame

_ARRAYS = ("vectors", "labels", "times", "stands_for")
_PAYMENTS = tuple(field.name for field in fields(Payments))
_REST = "frame.json"
_AT_ONCE = 1 << 22


def store_frame(frame: Frame, folder: Path) -> str:
    """SHA-256 of what training learns from. Raises UnavailableError: a full disk.

    Positions are left out: the same rows may be read of a longer log.
    """
    digest = hashlib.sha256()
    arrays = {name: getattr(frame, name) for name in _ARRAYS}
    if frame.payments is not None:
        arrays |= {name: getattr(frame.payments, name) for name in _PAYMENTS}
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        with writing(path):
            np.save(path, array, allow_pickle=False)
        _read_into(digest, path)
    rest = {
        "names": frame.names,
        "feature_set": frame.feature_set,
        "as_known_at": frame.as_known_at,
        "definitions": frame.definitions,
        "payments": frame.payments is not None,
        "constants": frame.constants,
        "simulated": frame.simulated,
    }
    write_whole(folder / _REST, json.dumps(rest | {"positions": frame.positions}).encode())
    digest.update(json.dumps(rest).encode())
    return digest.hexdigest()


def stored_frame(folder: Path) -> Frame:
    """Its arrays are read from the files as they are used. Raises IntegrityError."""
    try:
        rest = json.loads((folder / _REST).read_bytes())
        return Frame(
            **_mapped(folder, _ARRAYS),
            names=tuple(rest["names"]),
            feature_set=rest["feature_set"],
            as_known_at=rest["as_known_at"],
            definitions=tuple(rest["definitions"]),
            payments=Payments(**_mapped(folder, _PAYMENTS)) if rest["payments"] else None,
            positions=tuple(rest["positions"]),
            constants=rest["constants"],
            simulated=rest["simulated"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise IntegrityError(f"{folder} holds no whole frame ({error}): train anew") from error


def _mapped(folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}


def _read_into(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(_AT_ONCE):
            digest.update(block)
