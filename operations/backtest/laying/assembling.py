"""Assembly: what shards made, put together slice by slice of known time into columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from domain.features import FeatureSet
from domain.features.engine import blank
from domain.features.kernel.arrays import Floats, Ints
from domain.policy.rollout import WHOLE
from operations.backtest.laying.decided import NOT_DECIDED, TOLD, served_in, take_served
from operations.backtest.laying.decided import NUMBERS as DECIDED
from operations.backtest.laying.families import USES, Family
from operations.backtest.laying.files import (
    CHANCES,
    CODES,
    PAYMENTS,
    ColumnWriter,
    ids_writer,
    write_told,
)
from operations.backtest.laying.shards import edges_of
from operations.backtest.laying.spilling import KNOWN, PLACE, SHARE, TIME_OF, Spill
from operations.progress import Count
from projections.replay.transactions import NUMBERS, TEXTS, attribute

Made = Sequence[tuple[Family, str]]
"""The files of shards, by their stems, each with its family."""


def assemble(spill: Spill, names: Sequence[str], made: Made, folder: Path, count: Count) -> int:
    """Writes the columns of the period into `folder`; returns how many transactions it has.

    `names` are the spilled blocks. Raises OSError.
    """
    tables = [_payments(spill, name) for name in names]
    known = [np.asarray(table[KNOWN]) for table in tables]
    total = sum(map(len, known))
    edges = edges_of(known, spill.at_once)
    if not total:
        return 0
    texts = _Texts((*TEXTS, *map(attribute, spill.attributes), *TOLD))
    # Any index of them is in memory once, and the columns themselves are not.
    at_places = [(family, stem, _read(spill, stem, "known")) for family, stem in made]
    writer, done = ColumnWriter(folder, total), 0
    try:
        with ids_writer(folder) as ids:
            for begin, end in pairwise(edges):
                some = _Slice(spill, begin, end, names, tables, known)
                if not len(some):
                    continue
                ids.write_table(some.table.select(["transaction_id"]).rename_columns(["id"]))
                for name, items in some.columns(texts).items():
                    writer.put(name, done, items)
                for name, items in some.laid(at_places).items():
                    writer.put(name, done, items)
                done += len(some)
                count(done, total)
    finally:
        writer.close()
    taken = spill.serving.taken
    write_told(folder, spill.features, texts.values, tuple(NUMBERS), served=taken)
    return total


class _Texts:
    """Numbers of texts, as they first come."""

    def __init__(self, names: Sequence[str]) -> None:
        self._numbers: dict[str, dict[str, int]] = {name: {} for name in names}

    @property
    def values(self) -> dict[str, list[str]]:
        return {name: list(numbers) for name, numbers in self._numbers.items()}

    def codes(self, table: pa.Table) -> Ints:
        """[rows, names], -1 for none."""
        found = np.empty((len(table), len(self._numbers)), dtype=np.int64, order="F")
        for at, (name, numbers) in enumerate(self._numbers.items()):
            column = table[name].combine_chunks()
            coded = column.dictionary_encode() if len(column) else pa.array([], pa.string())
            if not len(column):
                continue
            again = [numbers.setdefault(v, len(numbers)) for v in coded.dictionary.to_pylist()]
            mine = pc.fill_null(coded.indices.cast(pa.int64()), len(again)).to_numpy(False)
            found[:, at] = np.array([*again, -1], dtype=np.int64)[mine]
        return found


class _Slice:
    """Payments known from `begin` on and before `end`, in known order."""

    def __init__(
        self,
        spill: Spill,
        begin: int,
        end: int,
        names: Sequence[str],
        tables: Sequence[pa.Table],
        known: Sequence[Ints],
    ) -> None:
        self._spill, self._begin, self._end = spill, begin, end
        bounds = [np.searchsorted(each, [begin, end]).tolist() for each in known]
        table = pa.concat_tables(
            [each.slice(a, b - a) for each, (a, b) in zip(tables, bounds, strict=True)]
        )
        requests = [
            _read(spill, name, "request")[a:b] for name, (a, b) in zip(names, bounds, strict=True)
        ]
        places = np.asarray(table[PLACE])
        order = np.lexsort((places, np.asarray(table[KNOWN])))
        self.table = table.take(order).combine_chunks()
        self._request = np.concatenate(requests)[order]
        rows, self._served = served_in(spill.folder, names, tables, bounds)
        self._served_rows: Ints = np.argsort(order)[rows]
        self._places = places[order]
        self._by_place = np.argsort(self._places)

    def __len__(self) -> int:
        return len(self.table)

    def columns(self, texts: _Texts) -> dict[str, npt.NDArray[Any]]:
        """What the payments themselves say."""
        found: dict[str, npt.NDArray[Any]] = {
            "times": np.asarray(self.table[TIME_OF]),
            "known": np.asarray(self.table[KNOWN]),
            CODES: texts.codes(self.table),
        }
        for name, kind in NUMBERS.items():
            column = self.table[name]
            found[f"{name}.number"] = np.asarray(pc.fill_null(column, 0), dtype=kind)
            found[f"{name}.known"] = np.asarray(pc.is_valid(column), dtype=bool)
        for name, kind in DECIDED.items():
            empty = NOT_DECIDED if name == "decided.version" else 0
            filled = pc.fill_null(self.table[name], pa.scalar(empty).cast(kind))
            found[name] = np.asarray(filled, dtype=kind.to_pandas_dtype())
        return found

    def laid(self, made: Sequence[tuple[Family, str, Ints]]) -> dict[str, npt.NDArray[Any]]:
        """What the shards say of them: vectors, labels, and what metrics look at."""
        features = self._spill.features
        values = np.asfortranarray(blank(features, len(self)))
        values[:, _places(features, lambda entity: entity is None)] = self._request
        found: dict[str, npt.NDArray[Any]] = {"values": values}
        for family, stem, known in made:
            a, b = np.searchsorted(known, [self._begin, self._end]).tolist()
            if a == b:
                continue
            rows = self._rows(_read(self._spill, stem, "place")[a:b])
            if family.name != USES:
                mine = _places(features, lambda entity, f=family: entity in f.entities)
                part = _read(self._spill, stem, "values")[a:b]
                for at, column in enumerate(mine):
                    values[rows, column] = part[:, at]
                continue
            for name in ("labels", *PAYMENTS):
                part = _read(self._spill, stem, name)[a:b]
                if name not in found:
                    found[name] = np.empty((len(self), *part.shape[1:]), dtype=part.dtype)
                found[name][rows] = part
        taken = self._spill.serving.taken
        found |= take_served(values, self._served_rows, self._served, taken=taken)
        found[CHANCES] = self._chances(found["declined"])
        return found

    def _rows(self, places: Ints) -> Ints:
        found: Ints = self._by_place[np.searchsorted(self._places, places, sorter=self._by_place)]
        return found

    def _chances(self, declined: npt.NDArray[np.bool_]) -> Floats:
        """That the live policy let them pass."""
        shares = self.table[SHARE]
        explored = np.asarray(pc.fill_null(shares, 0), dtype=np.float64) / WHOLE
        alone = np.where(declined, 0.0, 1.0)
        return np.where(np.asarray(pc.is_valid(shares), dtype=bool), explored, alone)


def _places(features: FeatureSet, of: Any) -> list[int]:
    return [at for at, each in enumerate(features.features) if of(each.entity)]


def _payments(spill: Spill, name: str) -> pa.Table:
    with pa.memory_map(str(spill.folder / f"{name}.payments")) as source:
        return pa.ipc.open_file(source).read_all()


def _read(spill: Spill, stem: str, what: str) -> Any:
    return np.load(spill.folder / f"{stem}.{what}.npy", mmap_mode="r")
