"""Decisions of a period, read in slices of time: whatever its length, one slice is held at a time.

A slice is some days of decisions. What the features of a slice can depend on begins one horizon
before it, and ends at the last position that a decision of it names.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from domain.errors import IntegrityError
from domain.events import TransactionScored, TransactionSubmitted
from domain.features import FeatureSet, Held, decode_held
from domain.times import DAY
from eventlog.archive.history import History
from operations.replay.decided import Decided

IN_SLICE = 200_000
AT_ONCE = 20_000
_PENDING = 200_000
_ALL = 1 << 64
_KINDS = frozenset({TransactionScored.NAME, TransactionSubmitted.NAME})

Chosen = Callable[[str], bool]
"""Takes a transaction id."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Decisions with begin <= event time < end, in microseconds."""

    begin: int
    end: int


def slices_of(history: History, begin: int | None, end: int | None) -> tuple[int, list[Slice]]:
    """(number of decisions in the period, slices of it, each of some IN_SLICE at most or a day)."""
    days = decision_days(history, begin, end)
    slices: list[Slice] = []
    first, held = 0, 0
    for day in sorted(days):
        if held and held + days[day] > IN_SLICE:
            slices.append(Slice(first, day * DAY))
            held = 0
        first = first if held else day * DAY
        held += days[day]
    if held:
        slices.append(Slice(first, (max(days) + 1) * DAY))
    cut = [
        Slice(max(each.begin, begin or each.begin), min(each.end, end or each.end))
        for each in slices
    ]
    return days.total(), cut


def decision_days(
    history: History, begin: int | None = None, end: int | None = None
) -> Counter[int]:
    """By day (its number, UTC) how many decisions there are with begin <= event time < end."""
    days: Counter[int] = Counter()
    for times in history.times(TransactionScored.NAME):
        if begin is not None:
            times = times[times >= begin]
        if end is not None:
            times = times[times < end]
        found, counts = np.unique(times // DAY, return_counts=True)
        days.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    return days


def sampled(number: int | None, of: int, salt: str = "") -> Chosen:
    """About `number` of so many transactions, the same ones each time; all where it is None."""
    if number is None or number >= of:
        return lambda _: True
    bound = number * _ALL // of
    made = blake2b(salt.encode(), digest_size=8)

    def chosen(name: str) -> bool:
        each = made.copy()
        each.update(name.encode())
        return int.from_bytes(each.digest()) < bound

    return chosen


def reach_of(features: FeatureSet) -> int:
    """How far back a feature of the set can see, in microseconds: horizons, and tiles on edges."""
    windows = [w for f in features.features for w in (f.window, f.baseline) if w is not None]
    return max((w.horizon + 2 * w.tile for w in windows), default=0)


def ends_of(history: History, part: Slice, chosen: Chosen) -> list[int]:
    """Per partition the end of all that the slice's decisions name, themselves among it."""
    ends = [0] * len(history.ends)
    kinds = frozenset({TransactionScored.NAME})
    for each in history.counting(kinds, (part.begin, part.end)):
        data: TransactionScored = each.envelope.data
        if not chosen(data.transaction.transaction_id):
            continue
        places = [(each.position.partition, each.position.offset)]
        for text in data.versions.values():
            held = held_of(text)
            places += [*held.upto.items(), *held.beside] if held else []
        for partition, offset in places:
            if partition < len(ends):
                ends[partition] = max(ends[partition], offset + 1)
    return ends


def held_of(text: str) -> Held | None:
    """None where it cannot be read."""
    try:
        return decode_held(text)
    except IntegrityError:
        return None


def decided_of(history: History, part: Slice, chosen: Chosen) -> Iterator[list[Decided]]:
    """The slice's decisions with their submissions, some thousand at once."""
    pending: OrderedDict[str, TransactionSubmitted] = OrderedDict()
    batch: list[Decided] = []
    for each in history.counting(_KINDS, (part.begin, part.end)):
        data = each.envelope.data
        name = data.transaction.transaction_id
        if not chosen(name):
            continue
        if isinstance(data, TransactionSubmitted):
            pending[name] = data
            if len(pending) > _PENDING:
                pending.popitem(last=False)
            continue
        place = each.position
        batch.append(Decided(place.partition, place.offset, data, pending.pop(name, None)))
        if len(batch) == AT_ONCE:
            yield _with_submissions(history, batch)
            batch = []
    if batch:
        yield _with_submissions(history, batch)


def _with_submissions(history: History, batch: Sequence[Decided]) -> list[Decided]:
    """Those of an agent may lie far before their decisions; they are looked for."""
    lacking = [d.data.transaction.transaction_id for d in batch if d.submission is None]
    if not lacking:
        return list(batch)
    found = {
        each.envelope.subject: each.envelope.data
        for each in history.about(lacking, TransactionSubmitted.NAME)
    }
    return [
        each
        if each.submission is not None
        else Decided(
            each.partition, each.offset, each.data, found.get(each.data.transaction.transaction_id)
        )
        for each in batch
    ]
