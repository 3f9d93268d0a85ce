"""Benchmark of the index of ids: how long until a process knows a long log, and its memory.

    python -m bench.stores.ids --records 10000000

An archive of so many records is made in a temporary folder: of each transaction the submission and
its decision, in files of 25,000 records, about as many as the archive worker puts into 16 MB. Their
values are short, for nobody reads them; the columns that are read are as they always are. A ledger
of all partitions is opened in a process of its own: without files (a new owner), and again with
those that the first one left (a restart). `ready` is when the last partition is open, counted from
the start of the ledger; files may be in the system's cache. The memory is what the process has
beyond what it had before: `peak` at any moment, `held` when all is done. What is mapped from a file
counts as far as it was touched.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import pyarrow as pa
import typer

from bench.machine import described, peak_gib, write
from domain.events import TransactionScored, TransactionSubmitted
from domain.events.registry import wire_type
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.ids import ArchivedIds
from eventlog.archive.layout import SCHEMA, Piece
from eventlog.in_memory import InMemoryEventLog
from eventlog.index.entries import name_of
from eventlog.index.files import FolderFiles
from eventlog.ledger.ledger import ALL, Ledger
from eventlog.port import Position, Recorded
from eventlog.topics import TRANSACTIONS, Topic
from host.processes import wait_until

_PIECE = 25_000
_NOW = 1_790_000_000_000_000
_LOOKED_UP = 20_000
_VALUE = b"a record of the log, of which nothing is read here"


class ArchivedLog(InMemoryEventLog):
    """A log that ends where its archive does, and of which the last record alone is read."""

    def __init__(self, each: int) -> None:
        super().__init__()
        self._each = each

    async def ends(self, topic: Topic) -> Sequence[int]:
        return [self._each] * topic.partitions

    def bounds(self, topic: Topic) -> tuple[Sequence[int], Sequence[int]]:
        return [0] * topic.partitions, [self._each] * topic.partitions

    def read_one(self, position: Position) -> Recorded:
        return Recorded(position, None, _VALUE)

    def tail(self, topic: Topic, start: Mapping[int, int], *, gathered: bool = False) -> Any:
        return super().tail(topic, dict.fromkeys(start, 0), gathered=gathered)


def main(
    records: int = 10_000_000,
    folder: Annotated[Path | None, typer.Option(help="keeps the archive, for other runs")] = None,
    opened: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    each = records // TRANSACTIONS.partitions // 2 * 2
    if opened:
        assert folder is not None
        print(json.dumps(asyncio.run(_opened(folder, each))))  # noqa: T201
        return
    with tempfile.TemporaryDirectory(prefix="retrace-ids-") as temporary:
        place = folder or Path(temporary)
        if not (place / "archive").exists():
            _make(place / "archive", each)
        _measure(place, each)


def _measure(place: Path, each: int) -> None:
    command = [sys.executable, "-m", "bench.stores.ids", "--opened", "--folder", str(place)]
    command += ["--records", str(each * TRANSACTIONS.partitions)]
    found = {}
    shutil.rmtree(place / "ledger", ignore_errors=True)
    for name in ("new owner", "restart"):
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
        found[name] = json.loads(ended.stdout)
    ids = each * TRANSACTIONS.partitions // 2
    files = sum(path.stat().st_size for path in place.glob("ledger/*.ids"))
    figures = {
        "records": 2 * ids, "ids": ids, "bytes an id on disk": round(files / ids, 1), **found,
        "load of the machine": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    write("ids", {"machine": described(), **figures})


async def _opened(place: Path, each: int) -> dict[str, float]:
    archived = ArchivedIds(ArchiveFolder(str(place / "archive"), TRANSACTIONS))
    process = psutil.Process()
    before, peak = process.memory_info().rss, peak_gib()
    ledger = Ledger(ArchivedLog(each), FolderFiles(place / "ledger"), archived)
    began, processor = time.perf_counter(), time.process_time()
    ledger.start()
    first = asyncio.gather(*(_open(ledger, partition, each, began) for partition in ALL))
    ready, seconds = sorted(await first), time.process_time() - processor
    assert await asyncio.to_thread(wait_until, partial(_all_kept, ledger), 600)
    kept = time.perf_counter() - began
    new, old = _lookups(ledger, "new", each // 2), _lookups(ledger, "", each // 2)
    held = process.memory_info().rss - before
    ledger.close()
    return {
        "first partition, s": round(ready[0], 2),
        "ready, s": round(ready[-1], 2),
        "seconds of the processor until then": round(seconds, 2),
        "kept on disk, s": round(kept, 2),
        "look-up of a new id, us": new,
        "places of an old id, us": old,
        "peak, MiB": round((peak_gib() - peak) * 1024),
        "held, MiB": round(held / 2**20),
    }


async def _open(ledger: Ledger, partition: int, each: int, began: float) -> float:
    await ledger.caught_up(upto={partition: each - 1})
    return time.perf_counter() - began


def _all_kept(ledger: Ledger) -> bool:
    return all(file.there for file in ledger._following._keeping._held.values())


def _lookups(ledger: Ledger, prefix: str, ids: int) -> float:
    """Microseconds for each, digest included."""
    chosen = np.random.default_rng(1).integers(0, ids, _LOOKED_UP).tolist()
    # Ids are not in the partitions of their hashes here: to find such would take longer than all.
    names = [f"{prefix}{_id(n % len(ALL), n)}" for n in chosen]
    places = [ledger._index.places(partition) for partition in ALL]
    began = time.perf_counter()
    found = sum(
        bool(places[n % len(ALL)].of(name_of(name))) for n, name in zip(chosen, names, strict=True)
    )
    assert found == (0 if prefix else _LOOKED_UP)
    return round((time.perf_counter() - began) / _LOOKED_UP * 1e6, 1)


def _make(archive: Path, each: int) -> None:
    folder = ArchiveFolder(str(archive), TRANSACTIONS)
    for partition in ALL:
        for first in range(0, each, _PIECE):
            count = min(_PIECE, each - first)
            folder.add(Piece(partition, first, first + count - 1), _table(partition, first, count))


def _table(partition: int, first: int, count: int) -> pa.Table:
    ids = [_id(partition, (first + n) // 2) for n in range(0, count, 2)]
    subjects = list(_twice(ids))
    types = [wire_type(TransactionSubmitted), wire_type(TransactionScored)] * len(ids)
    digests = [each for name in ids for each in (None, name_of(name))]
    times = [each for n in range(len(ids)) for each in (None, _NOW + first + n)]
    columns = {
        "offset": range(first, first + count),
        "key": subjects,
        "value": [_VALUE] * count,
        "verdict": ["counts"] * count,
        "type": types,
        "event_id": [f"{kind}/{name}" for kind, name in zip(types, subjects, strict=True)],
        "subject": subjects,
        "kind": [None, "transaction"] * len(ids),
        "known_time": times,
        "time": times,
        "transaction_id": [each for name in ids for each in (None, name)],
        "transaction_digest": digests,
    }
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.nulls(count, field.type)
        for field in SCHEMA
    ]
    return pa.table(arrays, schema=SCHEMA)


def _id(partition: int, number: int) -> str:
    """As long as those of most senders."""
    return f"pay-{partition}-{number:016d}"


def _twice(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield name
        yield name


if __name__ == "__main__":
    typer.run(main)
