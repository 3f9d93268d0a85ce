"""The columns of a period as files, which are read as they are used."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.errors import IntegrityError
from domain.features import FeatureSet
from domain.features.kernel.arrays import Floats
from domain.features.payments import Payments
from operations.backtest.laying.decided import STALE, STALE_VALUE, TOLD, RecordedDecisions
from projections.replay.dataset import Dataset
from projections.replay.mapped_ids import MappedIds
from projections.replay.rules import Column
from projections.replay.transactions import PastTransactions, Texts

PAYMENTS = tuple(field.name for field in fields(Payments))
_MADE = ("times", "known", "labels", "values")
CHANCES, CODES = "propensities", "codes"
_IDS, _TOLD = "ids.arrow", "columns.json"


@dataclass(frozen=True, slots=True)
class Columns:
    """One item per transaction, in the order of (known time, partition, offset)."""

    made: Dataset
    transactions: PastTransactions
    propensities: Floats
    decided: RecordedDecisions


class ColumnWriter:
    """Writes columns of `number` items from anywhere, without holding them; by any threads."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number, self._lock = folder, number, Lock()
        self._open: dict[str, tuple[int, int, npt.NDArray[Any]]] = {}

    def put(self, name: str, begin: int, items: npt.NDArray[Any]) -> None:
        """Items from `begin` on, [m] or [m, width]; a width lies in the file column by column.

        Raises OSError.
        """
        with self._lock:
            if name not in self._open:
                self._open[name] = self._begun(name, items)
            handle, start, like = self._open[name]
        for at, column in enumerate(np.atleast_2d(items.T)):
            where = start + (at * self._number + begin) * like.itemsize
            _write_all(handle, np.ascontiguousarray(column, like.dtype).data.cast("B"), where)

    def close(self) -> None:
        for handle, _, _ in self._open.values():
            os.close(handle)

    def _begun(self, name: str, items: npt.NDArray[Any]) -> tuple[int, int, npt.NDArray[Any]]:
        path, shape = self._folder / f"{name}.npy", (self._number, *items.shape[1:])
        head = {"descr": items.dtype.str, "fortran_order": items.ndim > 1, "shape": shape}
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, head)
            start = file.tell()
            file.truncate(start + int(np.prod(shape)) * items.itemsize)
        return os.open(path, os.O_WRONLY), start, items[:0]


def _write_all(handle: int, data: memoryview, where: int) -> None:
    while data:
        done = os.pwrite(handle, data, where)
        data, where = data[done:], where + done


def ids_writer(folder: Path) -> pa.ipc.RecordBatchFileWriter:
    return pa.ipc.new_file(str(folder / _IDS), pa.schema([("id", pa.string())]))


def write_told(
    folder: Path,
    features: FeatureSet,
    texts: dict[str, list[str]],
    numbers: Sequence[str],
    *,
    served: bool,
) -> None:
    """What the arrays mean; last of all, so that without it there are no columns."""
    told: dict[str, Any] = {
        "features": features.to_json(),
        "texts": texts,
        "numbers": list(numbers),
        "served": served,
    }
    (folder / _TOLD).write_text(json.dumps(told))


def open_columns(folder: Path) -> Columns:
    """They stay readable where the folder is removed. Raises IntegrityError."""
    try:
        told = json.loads((folder / _TOLD).read_text())
        with pa.memory_map(str(folder / _IDS)) as source:
            ids = MappedIds(pa.ipc.open_file(source).read_all()["id"])
        codes = _mapped(folder, CODES)
        made = {name: _mapped(folder, name) for name in _MADE}
        payments = {name: _mapped(folder, name) for name in PAYMENTS}
        texts = {
            name: Texts(codes[:, at], values)
            for at, (name, values) in enumerate(told["texts"].items())
        }
        decided = RecordedDecisions(
            versions=_mapped(folder, "decided.version"),
            scores=_mapped(folder, "decided.score"),
            outcomes=_mapped(folder, "decided.outcome"),
            served=_mapped(folder, "decided.served"),
            stale=_mapped(folder, STALE),
            stale_values=_mapped(folder, STALE_VALUE),
            texts={name: texts.pop(name) for name in TOLD},
            taken=told["served"],
        )
        return Columns(
            Dataset(
                FeatureSet.from_json(told["features"]),
                # The log's events are not at hand: a row stands for itself.
                at=np.arange(len(ids), dtype=np.int64),
                transaction_ids=ids,
                payments=Payments(**payments),
                **made,
            ),
            PastTransactions(
                texts,
                {
                    name: Column(
                        _mapped(folder, f"{name}.number"), _mapped(folder, f"{name}.known")
                    )
                    for name in told["numbers"]
                },
            ),
            _mapped(folder, CHANCES),
            decided,
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise IntegrityError(f"{folder} holds no whole columns ({error}): remove it") from error


def _mapped(folder: Path, name: str) -> Any:
    return np.load(folder / f"{name}.npy", mmap_mode="r")
