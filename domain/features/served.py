"""Recomputation of served vectors and states at their recorded versions.

It is how a served vector, or a stored state, is checked against the log: from the events at or
below its versions, those recorded beside them, and nothing else, whatever the order in which they
were once folded.
"""

from collections.abc import Sequence

import numpy as np

from domain.features.declarations.feature_set import FeatureSet
from domain.features.engine import finish_all, fold_states, run_groups
from domain.features.entities import Entity
from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.ordering import by_version
from domain.features.kernel.row_layout import IS_REQUEST, KIND, OFFSET, PARTITION, WIDTH, Rows


def served_at(
    features: FeatureSet,
    entity: Entity,
    events: tuple[Rows, Ints],
    requests: tuple[Rows, Ints],
    versions: Ints,
    out: Floats,
) -> None:
    """Finishes each request for the state of its entity at `versions` into its row of `out`.

    `events` and `requests` are (rows, number of the entity per row; -1 for none); `versions` is
    [requests, partitions], -1 where a partition is not covered. The requests' own KIND is ignored.
    """
    asking = requests[0].copy()
    asking[:, KIND] = IS_REQUEST
    order, spans, _ = _laid_out(events, requests[1], versions)
    rows = np.concatenate([events[0], asking])
    due = np.full(len(rows), -1, dtype=np.int64)
    due[len(events[0]) :] = np.arange(len(asking))
    plan = features.plans[entity]
    run_groups(plan, [b""] * (len(spans) - 1), rows, order, spans, due, out, keep=False)


def served_beside(
    features: FeatureSet,
    entity: Entity,
    events: tuple[Rows, Ints],
    requests: tuple[Rows, Ints],
    versions: Ints,
    beside: Sequence[Ints],
    out: Floats,
) -> None:
    """As `served_at`, each request with the events `beside[i]` too: row numbers, by their places.

    Slower: what lies beside belongs to one request, and is folded for it alone.
    """
    rows, codes = events
    asking = requests[0].copy()
    asking[:, KIND] = IS_REQUEST
    by_code = np.argsort(codes, kind="stable")
    ordered = codes[by_code]
    for code in np.unique(requests[1]).tolist():
        held = by_code[slice(*np.searchsorted(ordered, [code, code + 1]).tolist())]
        places, offsets = rows[held, PARTITION], rows[held, OFFSET]
        mine = np.flatnonzero(requests[1] == code)
        state, reached = b"", np.full(versions.shape[1], -1, dtype=np.int64)
        for i in mine[np.argsort(versions[mine].sum(axis=1), kind="stable")].tolist():
            if (versions[i] < reached).any():
                # No part of what is folded already.
                state, reached = b"", np.full_like(reached, -1)
            news = held[(offsets > reached[places]) & (offsets <= versions[i][places])]
            news = news[np.lexsort((rows[news, OFFSET], rows[news, PARTITION]))]
            owners = np.zeros(len(news), dtype=np.int64)
            state = fold_states(features, entity, [state], owners, rows[news])[0]
            reached = versions[i]
            recent = [tuple(row) for row in rows[beside[i]].tolist()]
            finish_all(features, [(entity, state, recent)], asking[i], out[i])


def states_at(
    features: FeatureSet, entity: Entity, events: tuple[Rows, Ints], codes: Ints, versions: Ints
) -> list[bytes]:
    """The bytes of the state of each of `codes`, all different, at its row of `versions`."""
    order, spans, groups = _laid_out(events, codes, versions)
    rows = np.concatenate([events[0], np.zeros((len(codes), WIDTH), dtype=np.int64)])
    rows[len(events[0]) :, KIND] = IS_REQUEST
    due = np.full(len(rows), -1, dtype=np.int64)
    none = np.zeros((0, len(features)))
    plan = features.plans[entity]
    made = run_groups(plan, [b""] * len(groups), rows, order, spans, due, none, keep=True)
    by_code = dict(zip(groups.tolist(), made, strict=True))
    return [by_code[code] for code in codes.tolist()]


def _laid_out(events: tuple[Rows, Ints], asking: Ints, versions: Ints) -> tuple[Ints, Ints, Ints]:
    rows, codes = events
    partitions = versions.shape[1]
    count = int(max(codes.max(initial=-1), asking.max(initial=-1))) + 1
    held = np.flatnonzero(codes >= 0)
    held = held[np.lexsort((rows[held, OFFSET], rows[held, PARTITION], codes[held]))]
    cells = codes[held] * partitions + rows[held, PARTITION]
    edges = np.searchsorted(cells, np.arange(count * partitions + 1)).astype(np.int64)
    # Each code has one edge more than partitions: where the next code begins.
    starts = np.lib.stride_tricks.sliding_window_view(edges, partitions + 1)[::partitions].copy()
    asked = np.flatnonzero(asking >= 0)
    asked = asked[np.lexsort((versions[asked].sum(axis=1), asking[asked]))]
    asks = np.searchsorted(asking[asked], np.arange(count + 1)).astype(np.int64)
    return by_version(rows, held, starts.reshape(count, partitions + 1), asked, asks, versions)  # type: ignore[no-any-return, unused-ignore]
