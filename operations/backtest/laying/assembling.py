"""Assembly: what shards made, put together slice by slice of known time into columns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
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
from domain.features.kernel.ordering import by_column, put_rows
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
from operations.backtest.laying.items import mapped_items, read_items
from operations.backtest.laying.shards import OF_PAYMENT, edges_of
from operations.backtest.laying.spilling import KNOWN, PLACE, SHARE, TIME_OF, Spill
from operations.progress import Count
from projections.replay.transactions import NUMBERS, TEXTS, attribute

Made = Sequence[tuple[Family, str]]
"""The files of shards, by their stems, each with its family."""


def assemble(
    spill: Spill, names: Sequence[str], made: Made, folder: Path, count: Count, threads: int
) -> int:
    """Writes the columns of the period into `folder`; returns how many transactions it has.

    `names` are the spilled blocks; as many slices as `threads` are held. Raises OSError.
    """
    tables = [_payments(spill, name) for name in names]
    known = [np.asarray(table[KNOWN]) for table in tables]
    total = sum(map(len, known))
    if not total:
        return 0
    texts = _Texts((*TEXTS, *map(attribute, spill.attributes), *TOLD))
    at_places = [
        (family, spill.folder / stem, mapped_items(spill.folder / f"{stem}.{KNOWN}"))
        for family, stem in made
    ]
    writer, done = ColumnWriter(folder, total), 0

    def lay(begin: int, some: _Slice) -> int:
        for name, items in some.laid(at_places).items():
            writer.put(name, begin, items)
        return begin + len(some)

    def slices() -> Iterator[tuple[int, _Slice]]:
        """In their order, as texts are numbered in it."""
        at = 0
        for begin, end in pairwise(edges_of(known, spill.at_once)):
            some = _Slice(spill, begin, end, names, tables, known)
            if not len(some):
                continue
            ids.write_table(some.table.select(["transaction_id"]).rename_columns(["id"]))
            for name, items in some.columns(texts).items():
                writer.put(name, at, items)
            yield at, some
            at += len(some)

    try:
        with ids_writer(folder) as ids, ThreadPoolExecutor(threads) as pool:
            for done in _some_at_once(pool, threads, lay, slices()):
                count(done, total)
    finally:
        writer.close()
    taken = spill.serving.taken
    write_told(folder, spill.features, texts.values, tuple(NUMBERS), served=taken)
    return total


def _some_at_once(
    pool: Executor,
    most: int,
    job: Callable[[int, _Slice], int],
    given: Iterator[tuple[int, _Slice]],
) -> Iterator[int]:
    """Outcomes in the order of what is given, which is asked for as it is needed."""
    running: deque[Future[int]] = deque()
    for each in given:
        running.append(pool.submit(job, *each))
        if len(running) >= most:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()


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
            coded = table[name].combine_chunks()
            indices = pc.fill_null(coded.indices.cast(pa.int64()), len(coded.dictionary))
            # Dictionaries hold what other slices have too, in any order.
            first = pc.unique(coded.indices.drop_null())
            again = np.full(len(coded.dictionary) + 1, -1, dtype=np.int64)
            again[first.to_numpy()] = [
                numbers.setdefault(text, len(numbers))
                for text in coded.dictionary.take(first).to_pylist()
            ]
            found[:, at] = again[indices.to_numpy()]
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
        alone = len(_places(spill.features, lambda entity: entity is None))
        requests = [
            read_items(spill.folder / f"{name}.request", a, b, np.float64, alone)
            for name, (a, b) in zip(names, bounds, strict=True)
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

    def laid(self, made: Sequence[tuple[Family, Path, Ints]]) -> dict[str, npt.NDArray[Any]]:
        """What the shards say of them: vectors, labels, and what metrics look at."""
        features = self._spill.features
        # Row by row, as the shards have them; turned into columns at once.
        values = blank(features, len(self))
        values[:, _places(features, lambda entity: entity is None)] = self._request
        payments = np.zeros(len(self), dtype=OF_PAYMENT)
        for family, stem, known in made:
            a, b = np.searchsorted(known, [self._begin, self._end]).tolist()
            if a == b:
                continue
            rows = self._rows(read_items(stem.with_suffix(f".{PLACE}"), a, b, np.int64))
            if family.name == USES:
                payments[rows] = read_items(stem.with_suffix(".payments"), a, b, OF_PAYMENT)
                continue
            mine = _places(features, lambda entity, f=family: entity in f.entities)
            part = read_items(stem.with_suffix(".values"), a, b, np.float64, len(mine))
            put_rows(values, rows, np.array(mine, dtype=np.int64), part)
        taken = self._spill.serving.taken
        stale = take_served(values, self._served_rows, self._served, taken=taken)
        found = {name: payments[name] for name in ("labels", *PAYMENTS)} | stale
        return {"values": _by_column(values), **found, CHANCES: self._chances(found["declined"])}

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


def _by_column(values: Floats) -> Floats:
    """The same in the order of Fortran."""
    turned = np.empty(values.shape[::-1])
    by_column(values, turned)
    return turned.T
