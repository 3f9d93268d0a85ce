"""The loop that all engines drive: states in, rows folded, vectors and states out."""

import numpy as np

from domain.features.kernel.arrays import Bytes, Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.encoding import put_varint
from domain.features.kernel.layout import H_LATEST_LABEL, LABELS, S_BASE, S_KIND, S_STRIDE, TILES
from domain.features.kernel.row_layout import IS_REQUEST, KIND, OFFSET, PARTITION
from domain.features.kernel.state import finish, fold, merge, trim_all
from domain.features.kernel.stored import decode, encode
from domain.features.kernel.stores.label_features import in_horizon

HEADROOM = 64


@compiled
def run(
    tables: tuple[Ints, Ints, int],
    scratch: tuple[Ints, Ints, Ints, Ints, Ints],
    blobs: Bytes,
    bounds: Ints,
    rows: Ints,
    order: Ints,
    spans: Ints,
    due: Ints,
    out: Floats,
    keep: bool,
    data: Bytes,
) -> tuple[Bytes, Ints, int, int]:
    """Takes groups of rows, one per state, each with the bytes of its state so far.

    `tables` is (stores, features, digest), `scratch` (mem, heads, head, version, spare). Group i
    begins with blobs[bounds[i]:bounds[i + 1]] (none: an empty state) and has the rows
    order[spans[i]:spans[i + 1]], in the order of folding. Before a row is folded it is finished
    for, where due[row] >= 0, into out[due[row]]. With `keep` the states after it are written to
    `data`, or to a greater array in its place.

    Returns (data, ends[groups + 1], code, group): 0, or what `decode` found wrong, and where.
    """
    stores, features, digest = tables
    mem, heads, head, version, spare = scratch
    groups = len(spans) - 1
    ends = np.zeros(groups + 1, dtype=np.int64)
    most = 9 * len(mem) + 20 * len(stores) + 1024
    at = 0
    for group in range(groups):
        code = decode(
            stores, mem, heads, head, version, digest, blobs, bounds[group], bounds[group + 1]
        )
        if code:
            return data, ends, code, group
        for i in range(spans[group], spans[group + 1]):
            row = rows[order[i]]
            place = due[order[i]]
            if place >= 0:
                finish(stores, features, mem, heads, head, row, out[place], spare)
            if row[KIND] != IS_REQUEST:
                fold(stores, mem, heads, head, version, row)
        if keep:
            if len(data) - at < most:
                greater = np.empty(2 * len(data) + most, dtype=np.uint8)
                greater[:at] = data[:at]
                data = greater
            at += encode(stores, mem, heads, head, version, digest, data[at:])
        ends[group + 1] = at
    return data, ends, 0, -1


@compiled
def answer(
    tables: tuple[Ints, Ints, Ints],
    scratch: tuple[Ints, Ints, Ints, Ints, Ints],
    plans: Ints,
    blobs: Bytes,
    bounds: Ints,
    rows: Ints,
    spans: Ints,
    covers: Ints,
    request: Ints,
    out: Floats,
    data: Bytes,
) -> tuple[Ints, int, int]:
    """Finishes states of several plans for `request` into `out` [features]; none is kept.

    `tables` are those of a JoinedPlan. State i is of plans[i] and has the bytes
    blobs[bounds[i]:bounds[i + 1]]. rows[spans[i]:spans[i + 1]] are folded onto it that lie beyond
    covers[i] [partitions], and beyond what it holds: covers[i] is raised to that. What was held is
    written to `data` as domain.features.versions reads it.

    Returns (where that of each begins and ends, code, state): 0, or what `decode` found wrong.
    """
    all_stores, all_features, parts = tables
    mem, all_heads, head, version, spare = scratch
    ends = np.zeros(len(plans) + 1, dtype=np.int64)
    for i in range(len(plans)):
        part, covered = parts[plans[i]], covers[i]
        stores, features = all_stores[part[0] : part[1]], all_features[part[2] : part[3]]
        heads = all_heads[: len(stores)]
        code = decode(stores, mem, heads, head, version, part[4], blobs, bounds[i], bounds[i + 1])
        if code:
            return ends, code, i
        for p in range(len(covered)):
            covered[p] = max(covered[p], version[p])
        at = put_covered(data, ends[i], covered)
        partition, offset = 0, 0
        for r in range(spans[i], spans[i + 1]):
            row = rows[r]
            if row[OFFSET] <= covered[row[PARTITION]]:
                continue
            if fold(stores, mem, heads, head, version, row):
                at = put_varint(data, at, row[PARTITION] - partition)
                offset = offset if row[PARTITION] == partition else 0
                at = put_varint(data, at, row[OFFSET] - offset)
                partition, offset = row[PARTITION], row[OFFSET]
        # Nothing was held, and is said by nothing.
        ends[i + 1] = ends[i] if at == ends[i] + 1 else at
        finish(stores, features, mem, heads, head, request, out, spare)
    return ends, 0, -1


@compiled
def put_covered(data: Bytes, at: int, covered: Ints) -> int:
    """The version map of what is covered, -1 where nothing of a partition is."""
    held, before = 0, 0
    for p in range(len(covered)):
        held += covered[p] >= 0
    at = put_varint(data, at, held)
    for p in range(len(covered)):
        if covered[p] >= 0:
            at = put_varint(data, at, p - before)
            at = put_varint(data, at, covered[p])
            before = p
    return at


@compiled
def join(
    tables: tuple[Ints, Ints, int],
    scratch: tuple[Ints, Ints, Ints, Ints, Ints],
    other: tuple[Ints, Ints, Ints, Ints, Ints],
    first: Bytes,
    second: Bytes,
    data: Bytes,
) -> tuple[int, int]:
    """The bytes of the state that holds the events of both; returns (length, code)."""
    stores, _, digest = tables
    mem, heads, head, version, _ = scratch
    other_mem, other_heads, other_head, other_version, _ = other
    code = decode(stores, mem, heads, head, version, digest, first, 0, len(first))
    if code == 0:
        code = decode(
            stores, other_mem, other_heads, other_head, other_version, digest, second, 0,
            len(second),
        )  # fmt: skip
    if code:
        return 0, code
    theirs = (other_mem, other_heads, other_head, other_version)
    merge(stores, mem, heads, head, version, theirs)
    trim_all(stores, mem, heads, head)
    return encode(stores, mem, heads, head, version, digest, data), 0


@compiled
def look(
    tables: tuple[Ints, Ints, int],
    scratch: tuple[Ints, Ints, Ints, Ints, Ints],
    blob: Bytes,
    items: Ints,
) -> int:
    """Per store its items, and the events of TILES or LABELS that count, into `items` [stores, 2].

    Returns what `decode` found; the head of `scratch` is then that of the state.
    """
    stores, features, digest = tables
    mem, heads, head, version, _ = scratch
    code = decode(stores, mem, heads, head, version, digest, blob, 0, len(blob))
    for s in range(len(stores)):
        items[s, 0] = items[s, 1] = heads[s, 1] - heads[s, 0]
        if stores[s, S_KIND] == TILES:
            counts = stores[s, S_BASE] + stores[s, S_STRIDE]
            items[s, 1] = mem[counts + heads[s, 0] : counts + heads[s, 1]].sum()
        elif stores[s, S_KIND] == LABELS:
            items[s, 1] = in_horizon(stores, features, mem, heads, s, head[H_LATEST_LABEL])
    return code
