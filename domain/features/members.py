"""Events that made a feature: of a state's rows those that, folded alone, give the same value.

Written from the contract (domain/features/reference), over rows: an entity may have a million.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from domain.features.declarations.feature import (
    OF_LABELS,
    OF_PLACES,
    OF_VALUES,
    Aggregation,
    Feature,
)
from domain.features.declarations.filters import FILTER_BITS, ID_COLUMNS
from domain.features.declarations.windows import Window
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import (
    FILTERS,
    HAS_PLACE,
    IS_FRAUD,
    IS_GENUINE,
    IS_TRANSACTION,
    KIND,
    OFFSET,
    ORDER,
    PRESENT,
    TIME,
    TRANSACTION,
    Rows,
)

_Bools = NDArray[np.bool_]
_LAST = frozenset({Aggregation.SINCE_LAST, *OF_PLACES})


def members(feature: Feature, rows: Rows, request: Ints) -> Ints:
    """The numbers of the rows that made the value for `request` [WIDTH], by time.

    `rows` are of the feature's entity: each event once, the transaction's own not among them.
    Folded alone they give the value, bit for bit. None where nothing did: a request's own value, a
    count of nothing, what is new.
    """
    if feature.entity is None or feature.window is None or not len(rows):
        return _NONE
    if feature.aggregation in OF_LABELS:
        return _of_labels(feature, feature.window, rows, request)
    kept = _kept(feature, feature.baseline or feature.window, rows)
    if feature.aggregation in OF_VALUES:
        # A quantile is of the latest amounts, whether or not they lie in the window.
        kept = kept[-(feature.cap or 0) :]
    held = kept[_within(rows[kept, TIME], feature.baseline or feature.window, request)]
    if feature.field in ID_COLUMNS:
        return _of_ids(feature, feature.window, rows, kept, held, request)
    if feature.aggregation in OF_PLACES:
        held = held[(rows[held, PRESENT] & HAS_PLACE) != 0]
        held = held if request[PRESENT] & HAS_PLACE else _NONE
    if feature.aggregation in _LAST:
        return held[-1:]
    return held[:1] if feature.aggregation is Aggregation.SINCE_FIRST else held


_NONE = np.zeros(0, dtype=np.int64)


def _by_time(rows: Rows, chosen: Ints) -> Ints:
    order: Ints = chosen[np.lexsort((rows[chosen, ORDER], rows[chosen, TIME]))]
    return order


def _kept(feature: Feature, window: Window, rows: Rows) -> Ints:
    """What passes the filter and lies within the horizon, by time."""
    labels = _labels(rows)
    greatest = int(rows[~labels, TIME].max(initial=0))
    mask = ~labels & (rows[:, TIME] // window.tile >= (greatest - window.horizon) // window.tile)
    if feature.filter is None:
        mask &= rows[:, KIND] == IS_TRANSACTION
    else:
        mask &= (rows[:, FILTERS] & FILTER_BITS[feature.filter]) != 0
    return _by_time(rows, np.flatnonzero(mask))


def _labels(rows: Rows) -> _Bools:
    found: _Bools = (rows[:, KIND] == IS_FRAUD) | (rows[:, KIND] == IS_GENUINE)
    return found


def _within(times: Ints, window: Window, request: Ints) -> _Bools:
    g, t = window.tile, int(request[TIME])
    found: _Bools = (times // g >= (t - window.span) // g) & (times // g <= t // g)
    return found


def _of_ids(
    feature: Feature, window: Window, rows: Rows, kept: Ints, held: Ints, request: Ints
) -> Ints:
    assert feature.field is not None
    column = ID_COLUMNS[feature.field]
    named = (rows[held, PRESENT] >> column & 1) != 0
    mine: Ints = held[named]
    if feature.aggregation is Aggregation.DISTINCT:
        return mine
    if not request[PRESENT] >> column & 1:
        return _NONE
    known = kept[(rows[kept, PRESENT] >> column & 1) != 0]
    pairs = np.stack([rows[known, TIME] // window.tile, rows[known, column]], axis=1)
    latest = np.unique(pairs, axis=0)[-(feature.cap or 0) :]
    tiles = latest[latest[:, 1] == request[column], 0]
    same: Ints = mine[rows[mine, column] == request[column]]
    seen: Ints = same[np.isin(rows[same, TIME] // window.tile, tiles)]
    return seen


def _of_labels(feature: Feature, window: Window, rows: Rows, request: Ints) -> Ints:
    """The labels that stand at the request's time; of them those that the aggregation takes."""
    labels = _by_time(rows, np.flatnonzero(_labels(rows)))
    g, t = window.tile, int(request[TIME])
    greatest = int(rows[labels, TIME].max(initial=0))
    oldest = max(t - window.span, greatest - window.horizon) // g
    past = labels[rows[labels, TIME] // g < t // g]
    # Of each transaction the last in the log; all its labels are of one partition.
    in_log = past[np.lexsort((rows[past, OFFSET], rows[past, TRANSACTION]))]
    last = np.append(rows[in_log[1:], TRANSACTION] != rows[in_log[:-1], TRANSACTION], True)
    standing = in_log[last[: len(in_log)]]
    latest = labels[-(feature.cap or 0) :]
    held: Ints = latest[np.isin(latest, standing) & (rows[latest, TIME] // g >= oldest)]
    taken = _TAKEN.get(feature.aggregation)
    if taken is not None:
        kind, some = taken
        of_kind = (held, held[rows[held, KIND] == IS_FRAUD], held[rows[held, KIND] == IS_GENUINE])
        chosen: Ints = of_kind[kind][some]
        return chosen
    if feature.last is not None:
        last_ones = held[-feature.last :]
        enough = len(last_ones) == feature.last
        return last_ones if enough or feature.aggregation is _A.FRAUD_OF_LAST else _NONE
    # A run of fraud begins after the last genuine one.
    ends = np.flatnonzero(rows[held, KIND] == IS_GENUINE)
    return held[ends[-1] + 1 :] if len(ends) else held


_A = Aggregation
_ALL, _FRAUDS, _GENUINE = range(3)
_TAKEN: Mapping[Aggregation, tuple[int, slice]] = {
    _A.LABEL_COUNT: (_ALL, slice(None)),
    _A.FRAUD_RATE: (_ALL, slice(None)),
    _A.FRAUD_COUNT: (_FRAUDS, slice(None)),
    _A.FRAUD_MEAN: (_FRAUDS, slice(None)),
    _A.LAST_FRAUD: (_FRAUDS, slice(-1, None)),
    _A.SINCE_FRAUD: (_FRAUDS, slice(-1, None)),
    _A.SINCE_FIRST_FRAUD: (_FRAUDS, slice(0, 1)),
    _A.SINCE_GENUINE: (_GENUINE, slice(-1, None)),
}
"""Of which labels, by time, and which of these."""
