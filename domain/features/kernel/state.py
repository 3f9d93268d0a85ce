"""One state in memory: folding a row, finishing, merging. Its bytes are in stored.py.

`head` holds the greatest event time and the greatest known time of a label, NEVER where there was
none, and how many of each were folded; `version` the last offset folded per source partition, -1
where there is none.
"""

from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import (
    H_LABELS,
    H_LATEST,
    H_LATEST_LABEL,
    H_TRANSACTIONS,
    LABELS,
    NEVER,
    PAIRS,
    PLACES,
    S_FILTER,
    S_HORIZON,
    S_KIND,
    S_TILE,
    SKETCH,
    TILES,
    VALUES,
)
from domain.features.kernel.request import finish_request
from domain.features.kernel.row_layout import (
    FILTERS,
    IS_STEP_UP,
    IS_TRANSACTION,
    KIND,
    OFFSET,
    PARTITION,
    PARTITIONS,
    TIME,
)
from domain.features.kernel.stores.label_features import finish_labels
from domain.features.kernel.stores.labels import fold_label, merge_labels
from domain.features.kernel.stores.pairs import (
    finish_pairs,
    finish_sketch,
    fold_pairs,
    fold_sketch,
    merge_pairs,
    merge_sketch,
)
from domain.features.kernel.stores.places import finish_places, fold_places, merge_places
from domain.features.kernel.stores.slots import trim
from domain.features.kernel.stores.tiles import finish_tiles, fold_tiles, merge_tiles
from domain.features.kernel.stores.values import finish_values, fold_values, merge_values


@compiled
def reset(heads: Ints, head: Ints, version: Ints) -> None:
    heads[:, :] = 0
    version[:] = -1
    head[H_LATEST] = NEVER
    head[H_LATEST_LABEL] = NEVER
    head[H_TRANSACTIONS] = 0
    head[H_LABELS] = 0


@compiled
def trim_all(stores: Ints, mem: Ints, heads: Ints, head: Ints) -> None:
    """Drops what lies before the horizon, in all stores."""
    for s in range(len(stores)):
        if heads[s, 0] == heads[s, 1]:
            continue
        kind, horizon, width = stores[s, S_KIND], stores[s, S_HORIZON], stores[s, S_TILE]
        if kind == LABELS:
            trim(stores, mem, heads, s, head[H_LATEST_LABEL] - horizon)
        elif kind == VALUES:
            trim(stores, mem, heads, s, (head[H_LATEST] - horizon) // width * width)
        elif kind <= PLACES:
            trim(stores, mem, heads, s, (head[H_LATEST] - horizon) // width)


@compiled
def fold(stores: Ints, mem: Ints, heads: Ints, head: Ints, version: Ints, row: Ints) -> bool:
    """False, and nothing changed, where the version covers the row already."""
    if row[OFFSET] <= version[row[PARTITION]]:
        return False
    version[row[PARTITION]] = row[OFFSET]
    if row[KIND] == IS_TRANSACTION or row[KIND] == IS_STEP_UP:
        if row[KIND] == IS_TRANSACTION:
            head[H_TRANSACTIONS] += 1
        if row[TIME] > head[H_LATEST]:
            head[H_LATEST] = row[TIME]
            trim_all(stores, mem, heads, head)
        latest = head[H_LATEST]
        for s in range(len(stores)):
            if stores[s, S_FILTER] and not stores[s, S_FILTER] & row[FILTERS]:
                continue
            if row[KIND] == IS_STEP_UP and not stores[s, S_FILTER]:
                continue
            kind = stores[s, S_KIND]
            if kind == TILES:
                fold_tiles(stores, mem, heads, s, row, latest)
            elif kind == PAIRS:
                fold_pairs(stores, mem, heads, s, row, latest)
            elif kind == SKETCH:
                fold_sketch(stores, mem, heads, s, row, latest)
            elif kind == VALUES:
                fold_values(stores, mem, heads, s, row, latest)
            elif kind == PLACES:
                fold_places(stores, mem, heads, s, row, latest)
        return True
    head[H_LABELS] += 1
    if row[TIME] > head[H_LATEST_LABEL]:
        head[H_LATEST_LABEL] = row[TIME]
        trim_all(stores, mem, heads, head)
    for s in range(len(stores)):
        if stores[s, S_KIND] == LABELS:
            fold_label(stores, mem, heads, s, row, head[H_LATEST_LABEL])
    return True


@compiled
def finish(
    stores: Ints,
    features: Ints,
    mem: Ints,
    heads: Ints,
    head: Ints,
    row: Ints,
    out: Floats,
    spare: Ints,
) -> None:
    """Writes the features of this state into `out`; what is unknown is left as it was."""
    latest = head[H_LATEST]
    for s in range(len(stores)):
        kind = stores[s, S_KIND]
        if kind == TILES:
            finish_tiles(stores, features, mem, heads, s, row, latest, out)
        elif kind == PAIRS:
            finish_pairs(stores, features, mem, heads, s, row, latest, out)
        elif kind == SKETCH:
            finish_sketch(stores, features, mem, heads, s, row, latest, out, spare)
        elif kind == VALUES:
            finish_values(stores, features, mem, heads, s, row, latest, out, spare)
        elif kind == PLACES:
            finish_places(stores, features, mem, heads, s, row, latest, out)
        elif kind == LABELS:
            finish_labels(stores, features, mem, heads, s, row, head[H_LATEST_LABEL], out, spare)
        else:
            finish_request(stores, features, s, row, out)


@compiled
def merge(
    stores: Ints,
    mem: Ints,
    heads: Ints,
    head: Ints,
    version: Ints,
    other: tuple[Ints, Ints, Ints, Ints],
) -> None:
    """Takes in the events of `other` (mem, heads, head, version), which are to be others."""
    other_mem, other_heads, other_head, other_version = other
    for p in range(PARTITIONS):
        version[p] = max(version[p], other_version[p])
    head[H_TRANSACTIONS] += other_head[H_TRANSACTIONS]
    head[H_LABELS] += other_head[H_LABELS]
    head[H_LATEST] = max(head[H_LATEST], other_head[H_LATEST])
    head[H_LATEST_LABEL] = max(head[H_LATEST_LABEL], other_head[H_LATEST_LABEL])
    trim_all(stores, mem, heads, head)
    latest = head[H_LATEST]
    for s in range(len(stores)):
        kind = stores[s, S_KIND]
        if kind == TILES:
            merge_tiles(stores, mem, heads, s, other_mem, other_heads, latest)
        elif kind == PAIRS:
            merge_pairs(stores, mem, heads, s, other_mem, other_heads, latest)
        elif kind == SKETCH:
            merge_sketch(stores, mem, heads, s, other_mem, other_heads, latest)
        elif kind == VALUES:
            merge_values(stores, mem, heads, s, other_mem, other_heads, latest)
        elif kind == PLACES:
            merge_places(stores, mem, heads, s, other_mem, other_heads, latest)
        elif kind == LABELS:
            merge_labels(stores, mem, heads, s, other_mem, other_heads, head[H_LATEST_LABEL])
