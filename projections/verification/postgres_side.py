"""Stored vectors of PostgreSQL, all of them, as bits, and their comparison with the ideal ones."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, sql

from domain.features import FeatureSet
from domain.features.kernel.arrays import Floats, Ints
from projections.replay.ideal import Ideal
from projections.verification.comparing import Compared, Difference, compare
from projections.verification.log_side import LogSide

_HEADER, _TRAILER = 19, 2
_AT_ONCE = 20_000

# Rows of fixed width, parsed in bulk: a digest for the id, NaN for NULL.
_QUERY = (
    "COPY (SELECT substring(decode(md5(transaction_id), 'hex') FOR 8), {values}"
    " FROM feature_vectors WHERE feature_set = {feature_set}) TO STDOUT (FORMAT binary)"
)


def stored_vectors(
    connection: Connection[tuple[object, ...]], features: FeatureSet
) -> Iterator[tuple[Ints, Floats]]:
    """(digests of transaction ids, vectors) in batches; in no order."""
    values = sql.SQL(", ").join(
        sql.SQL("coalesce({}, 'NaN')").format(sql.Identifier(name)) for name in features.names
    )
    query = sql.SQL(_QUERY).format(values=values, feature_set=sql.Literal(features.hash))
    cells = ("values", [("size", ">i4"), ("value", ">f8")], (len(features),))
    row = np.dtype([("fields", ">i2"), ("id_size", ">i4"), ("id", ">i8"), cells])
    rest, skipped = b"", False
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for chunk in _gathered(copy, row.itemsize * _AT_ONCE):
            rest += chunk
            if not skipped:
                rest, skipped = rest[_HEADER:], True
            whole = len(rest) // row.itemsize
            if whole:
                table = np.frombuffer(rest[: whole * row.itemsize], dtype=row)
                yield table["id"].astype(np.int64), table["values"]["value"].astype(np.float64)
                rest = rest[whole * row.itemsize :]
    if skipped and len(rest) != _TRAILER:
        raise ValueError(f"COPY ended with {len(rest)} bytes: a column is not of fixed width")


def _gathered(copy: object, size: int) -> Iterator[bytes]:
    held: list[bytes] = []
    count = 0
    for chunk in copy:  # type: ignore[attr-defined]
        held.append(bytes(chunk))
        count += len(held[-1])
        if count >= size:
            yield b"".join(held)
            held, count = [], 0
    yield b"".join(held)


def digests(ids: Sequence[str]) -> Ints:
    """The first 64 bits of the MD5 of each id, as the query gives them."""
    joined = b"".join(hashlib.md5(i.encode(), usedforsecurity=False).digest()[:8] for i in ids)
    return np.frombuffer(joined, dtype=">i8").astype(np.int64)


def compare_stored(
    log: LogSide,
    ideal: Ideal,
    stored: Iterator[tuple[Ints, Floats]],
    within: NDArray[np.bool_],
    into: Compared,
) -> None:
    """Compares what is stored with the ideal vectors of which `within` is true."""
    ids = log.events.transaction_ids[ideal.at]
    marks = digests(ids.tolist())
    order = np.argsort(marks, kind="stable")
    ordered = marks[order]
    if any(a == b for a, b in pairwise(ordered.tolist())):
        raise ValueError("two transaction ids share 64 bits of their MD5: compare in two ranges")
    seen = ~within
    names, entities = list(log.features.names), entities_of(log.features)
    for found, values in stored:
        place = np.minimum(np.searchsorted(ordered, found), max(len(ordered) - 1, 0))
        known = ordered[place] == found if len(ordered) else np.zeros(len(found), dtype=bool)
        at = order[place[known]]
        mine = within[at]
        at, theirs = at[mine], values[known][mine]
        seen[at] = True
        compare(
            into,
            names,
            entities,
            ids[at],
            lambda row, at=at: log.position(ideal.at[at[row]]),  # type: ignore[misc]
            ideal.values[at],
            theirs,
        )
    for at in np.flatnonzero(~seen).tolist():
        into.missing += 1
        position = log.position(ideal.at[at])
        into.add(Difference("(row)", "", str(ids[at]), position, "in the log", "not stored"))


def entities_of(features: FeatureSet) -> list[str]:
    return [f.entity.value if f.entity else "request" for f in features.features]
