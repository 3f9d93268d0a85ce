"""Features over the labels of an entity; the labels themselves are in labels.py.

Labels of [start, end) count where none known before `upto` replaced them; they are in the order of
their knowing. What stands in `out` already is the default, and stays where a value is unknown.
"""

from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import (
    A_FRAUD_COUNT,
    A_FRAUD_MEAN,
    A_FRAUD_OF_LAST,
    A_FRAUD_RATE,
    A_FRAUD_RUN,
    A_FRAUD_RUN_DAYS,
    A_FRAUD_RUN_HOURS,
    A_FRAUD_RUN_MEAN,
    A_FRAUD_RUN_MIN,
    A_LABEL_COUNT,
    A_LAST_FRAUD,
    A_NTH_LAST_LABEL,
    A_SINCE_FIRST_FRAUD,
    A_SINCE_FRAUD,
    A_SINCE_GENUINE,
    DAY_US,
    F_AGGREGATION,
    F_CAP,
    F_HORIZON,
    F_LIKE,
    F_NUMBER,
    F_OUT,
    F_SPAN,
    F_TILE,
    FLOAT_HOUR_US,
    S_BASE,
    S_FIRST,
    S_LAST,
    S_STRIDE,
)
from domain.features.kernel.row_layout import TIME
from domain.features.kernel.stores.slots import lower


@compiled
def finish_labels(
    stores: Ints,
    features: Ints,
    mem: Ints,
    heads: Ints,
    s: int,
    row: Ints,
    latest: int,
    out: Floats,
    spare: Ints,
) -> None:
    """`spare` has the beginnings of windows, by feature, and then the odd labels."""
    store, time = stores[s], row[TIME]
    base, stride, last = store[S_BASE], store[S_STRIDE], heads[s, 1]
    odd, upto, end, count = spare[store[S_LAST] - store[S_FIRST] :], 0, 0, 0
    for f in range(store[S_FIRST], store[S_LAST]):
        tile, kind, number = features[f, F_TILE], features[f, F_AGGREGATION], f - store[S_FIRST]
        if number == 0 or tile != features[f - 1, F_TILE]:
            upto = time // tile * tile
            end = lower(mem, base, heads[s, 0], last, upto)
            count = _odd(mem, base, stride, heads[s, 0], end, upto, odd)
        if features[f, F_LIKE] == number:
            oldest = max(time - features[f, F_SPAN], latest - features[f, F_HORIZON])
            begin = max(heads[s, 0], last - features[f, F_CAP])
            spare[number] = lower(mem, base, min(begin, end), end, oldest // tile * tile)
        start = spare[features[f, F_LIKE]]
        if kind in (A_LABEL_COUNT, A_FRAUD_COUNT, A_FRAUD_RATE, A_FRAUD_MEAN):
            _totals(features[f], mem, base, stride, start, end, upto, out, odd[:count])
        elif kind in (A_FRAUD_OF_LAST, A_NTH_LAST_LABEL):
            _last(features[f], mem, base, stride, start, end, upto, out)
        elif kind == A_SINCE_GENUINE:
            _genuine(features[f], mem, base, stride, start, end, upto, time, out)
        elif kind in (A_LAST_FRAUD, A_SINCE_FRAUD, A_SINCE_FIRST_FRAUD):
            _one(features[f], mem, base, stride, start, upto, time, out, odd[:count])
        else:
            _run(features[f], mem, base, stride, start, end, upto, time, out)


@compiled
def _odd(mem: Ints, base: int, stride: int, start: int, end: int, upto: int, odd: Ints) -> int:
    """Lays out the few labels that are frauds or were replaced, in their order; their number."""
    frauds, replaced = base + 3 * stride, base + 5 * stride
    count = 0
    for i in range(start, end):
        if mem[frauds + i] or mem[replaced + i] < upto:
            odd[count] = i
            count += 1
    return count


@compiled
def in_horizon(stores: Ints, features: Ints, mem: Ints, heads: Ints, s: int, latest: int) -> int:
    """The labels within the horizon of a feature; the store keeps up to one tile more."""
    oldest = latest
    for f in range(stores[s, S_FIRST], stores[s, S_LAST]):
        tile = features[f, F_TILE]
        oldest = min(oldest, (latest - features[f, F_HORIZON]) // tile * tile)
    return int(heads[s, 1] - lower(mem, stores[s, S_BASE], heads[s, 0], heads[s, 1], oldest))


@compiled
def _totals(
    feature: Ints,
    mem: Ints,
    base: int,
    stride: int,
    start: int,
    end: int,
    upto: int,
    out: Floats,
    odd: Ints,
) -> None:
    frauds, amounts, replaced = base + 3 * stride, base + 4 * stride, base + 5 * stride
    count, fraud, total = end - start, 0, 0
    for place in range(len(odd) - 1, -1, -1):
        i = odd[place]
        if i < start:
            break
        if mem[replaced + i] >= upto:
            fraud += mem[frauds + i]
            total += mem[frauds + i] * mem[amounts + i]
        else:
            count -= 1
    kind, place = feature[F_AGGREGATION], feature[F_OUT]
    if kind == A_LABEL_COUNT:
        out[place] = float(count)
    elif kind == A_FRAUD_COUNT:
        out[place] = float(fraud)
    elif kind == A_FRAUD_RATE:
        if count:
            out[place] = float(fraud) / float(count)
    elif fraud:
        out[place] = float(total) / 100.0 / float(fraud)


@compiled
def _run(
    feature: Ints,
    mem: Ints,
    base: int,
    stride: int,
    start: int,
    end: int,
    upto: int,
    time: int,
    out: Floats,
) -> None:
    """The fraud labels after the last genuine one."""
    frauds, amounts, replaced = base + 3 * stride, base + 4 * stride, base + 5 * stride
    length, since, least, total = 0, 0, 0, 0
    for i in range(end - 1, start - 1, -1):
        if mem[replaced + i] >= upto:
            if not mem[frauds + i]:
                break
            amount = mem[amounts + i]
            least = amount if length == 0 else min(least, amount)
            length += 1
            since = mem[base + i]
            total += amount
    kind, place = feature[F_AGGREGATION], feature[F_OUT]
    if kind == A_FRAUD_RUN:
        out[place] = float(length)
    elif length == 0:
        return
    elif kind == A_FRAUD_RUN_HOURS:
        out[place] = float(time - since) / FLOAT_HOUR_US
    elif kind == A_FRAUD_RUN_DAYS:
        out[place] = float(time // DAY_US - since // DAY_US)
    elif kind == A_FRAUD_RUN_MIN:
        out[place] = float(least) / 100.0
    elif kind == A_FRAUD_RUN_MEAN:
        out[place] = float(total) / 100.0 / float(length)


@compiled
def _last(
    feature: Ints, mem: Ints, base: int, stride: int, start: int, end: int, upto: int, out: Floats
) -> None:
    frauds, replaced = base + 3 * stride, base + 5 * stride
    kind, place, wanted = feature[F_AGGREGATION], feature[F_OUT], feature[F_NUMBER]
    seen, fraud = 0, 0
    for i in range(end - 1, start - 1, -1):
        if mem[replaced + i] >= upto:
            seen += 1
            fraud += mem[frauds + i]
            if seen == wanted:
                if kind == A_NTH_LAST_LABEL:
                    out[place] = float(mem[frauds + i])
                break
    if kind == A_FRAUD_OF_LAST:
        out[place] = float(fraud)


@compiled
def _genuine(
    feature: Ints,
    mem: Ints,
    base: int,
    stride: int,
    start: int,
    end: int,
    upto: int,
    time: int,
    out: Floats,
) -> None:
    """Hours since the last genuine label was known."""
    frauds, replaced = base + 3 * stride, base + 5 * stride
    for i in range(end - 1, start - 1, -1):
        if mem[replaced + i] >= upto and not mem[frauds + i]:
            out[feature[F_OUT]] = float(time - mem[base + i]) / FLOAT_HOUR_US
            return


@compiled
def _one(
    feature: Ints,
    mem: Ints,
    base: int,
    stride: int,
    start: int,
    upto: int,
    time: int,
    out: Floats,
    odd: Ints,
) -> None:
    """The first or the last fraud: its amount, or the hours since it was known."""
    frauds, amounts, replaced = base + 3 * stride, base + 4 * stride, base + 5 * stride
    kind, place = feature[F_AGGREGATION], feature[F_OUT]
    found = -1
    for at in range(len(odd) - 1, -1, -1):
        i = odd[at]
        if i < start:
            break
        if mem[replaced + i] >= upto and mem[frauds + i]:
            found = i
            if kind != A_SINCE_FIRST_FRAUD:
                break
    if found < 0:
        return
    if kind == A_LAST_FRAUD:
        out[place] = float(mem[amounts + found]) / 100.0
    else:
        out[place] = float(time - mem[base + found]) / FLOAT_HOUR_US
