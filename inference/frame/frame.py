"""Training frame: vectors, labels and times as known at one moment, and its split by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.errors import InvalidInputError
from domain.features.payments import Payments
from domain.times import DAY

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.floating[Any]]
"""Of either width: models take them as float32."""

Bools = npt.NDArray[np.bool_]
Rows = Bools | Ints | slice

LEAST_OF_EACH = 20
WARM_UP = 14 * DAY
_ENOUGH = 2_000
WEEK = 7 * DAY
_AT_ONCE = 1 << 16  # rows
_MOST_PARTS = 50


@dataclass(frozen=True, slots=True)
class Frame:
    """One row per transaction, ordered by time.

    `vectors` [n, d] in the order of `names`, NaN for unknown; `labels` [n] 1 fraud, 0 confirmed
    genuine, NaN for not labelled; `times` [n] event time in microseconds UTC. Rows without a label
    never fit the model: they tell how common fraud is and which scores ordinary traffic gets.
    `definitions` are those of the features, in the order of `names`.
    `stands_for` [n] is how many transactions each row was sampled from, 1 where all are here.
    `payments` are for measures, None where they are not known. `positions` are the offsets up to
    which the log was read, per partition of the transactions' topic; empty where it was not.
    `constants` are features that were left out, because every labelled row has that value.
    `simulated` where it is made up, and no row of the log's.
    """

    vectors: Vectors
    labels: Floats
    times: Ints
    stands_for: Floats
    names: tuple[str, ...]
    feature_set: str
    as_known_at: int
    definitions: tuple[str, ...] = ()
    payments: Payments | None = None
    positions: tuple[int, ...] = ()
    constants: Mapping[str, float] = field(default_factory=dict)
    simulated: bool = False

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: Rows) -> Frame:
        """Of a slice, views: a frame that is mapped into memory is not copied."""
        return replace(
            self,
            vectors=self.vectors[rows],
            labels=self.labels[rows],
            times=self.times[rows],
            stands_for=self.stands_for[rows],
            payments=self.payments.take(rows) if self.payments is not None else None,
        )

    def of(self, features: Ints) -> Frame:
        """The same rows with these features alone, by number."""
        chosen = features.tolist()
        if chosen == list(range(len(self.names))):
            return self
        return replace(
            self,
            vectors=self.vectors[:, features],
            names=tuple(self.names[i] for i in chosen),
            definitions=tuple(self.definitions[i] for i in chosen if self.definitions),
        )

    @property
    def frauds(self) -> int:
        return int((self.labels == 1).sum())

    @property
    def genuine(self) -> int:
        return int((self.labels == 0).sum())

    @property
    def ripe(self) -> slice:
        """Rows old enough for their labels to have come, from the first on.

        The latest have none yet, or few: taken for genuine they would make fraud too rare. Labels
        thin out where the share labelled stays below three quarters of its median. All rows, where
        the ripe ones lack a kind of label.
        """
        labelled = np.flatnonzero(~np.isnan(self.labels))
        parts = min(_MOST_PARTS, max(len(labelled) // LEAST_OF_EACH, 1))
        edges = np.linspace(0, len(self), parts + 1).astype(np.int64)
        shares = np.histogram(labelled, edges)[0] / np.maximum(np.diff(edges), 1)
        if not shares.any():
            return slice(None)
        dense = np.flatnonzero(shares >= 0.75 * np.median(shares[shares > 0]))
        end = int(labelled[np.searchsorted(labelled, edges[dense[-1] + 1]) - 1]) + 1
        both = all((self.labels[:end] == kind).any() for kind in (0, 1))
        return slice(0, end) if both else slice(None)

    @property
    def looked_at(self) -> Bools:
        """[n] The ripe rows, without spans of a week or longer that have no label where at least
        LEAST_OF_EACH were to be expected: what is unlabelled there is not known to be genuine."""
        rows = np.zeros(len(self), dtype=np.bool_)
        rows[self.ripe] = True
        after = np.flatnonzero(~np.isnan(self.labels))
        before = np.append(-1, after)[:-1]
        expected = (after - before - 1) * (len(after) / max(len(self), 1))
        spans = self.times[after] - self.times[np.maximum(before, 0)]
        for gap in np.flatnonzero((expected >= LEAST_OF_EACH) & (spans >= WEEK)).tolist():
            rows[before[gap] + 1 : after[gap]] = False
        return rows

    @property
    def prevalence(self) -> float:
        """Share of the transactions that were looked at which is labelled fraud."""
        known = self.looked_at
        labels, stands_for = self.labels[known], self.stands_for[known]
        return float(stands_for[labels == 1].sum() / stands_for.sum())

    def row_weights(self) -> Floats:
        """Per row what it stands for: the confirmed genuine ones for all that are not fraud, among
        those that were looked at; 0 for others."""
        weights, known = np.zeros(len(self)), self.looked_at
        labels, stands_for = self.labels[known], self.stands_for[known]
        fraud, genuine = labels == 1, labels == 0
        others = stands_for.sum() - stands_for[fraud].sum()
        share = others / max(stands_for[genuine].sum(), 1.0)
        weights[known] = stands_for * np.where(fraud, 1.0, np.where(genuine, share, 0.0))
        return weights


def varying(frame: Frame) -> Ints:
    """Numbers of the features that vary: others only cost time, in training and scoring.

    Raises InvalidInputError where none does.
    """
    labelled = np.flatnonzero(~np.isnan(frame.labels))
    width = frame.vectors.shape[1]
    some, alike = np.zeros(width, dtype=bool), np.ones(width, dtype=bool)
    first = frame.vectors[labelled[:1]]
    for begin in range(0, len(labelled), _AT_ONCE):
        part = frame.vectors[labelled[begin : begin + _AT_ONCE]]
        some |= ~np.isnan(part).all(axis=0)
        alike &= (part == first).all(axis=0)
    chosen: Ints = np.flatnonzero(some & ~alike).astype(np.int64)
    if not len(chosen):
        raise InvalidInputError("features", "all are alike in every labelled transaction")
    return chosen


def without_constants(frame: Frame) -> Frame:
    """With `varying` features alone; `constants` tells the values of the others. Raises as that."""
    chosen = varying(frame)
    first = int(np.flatnonzero(~np.isnan(frame.labels))[0])
    others = set(range(len(frame.names))) - set(chosen.tolist())
    constants = {frame.names[i]: float(frame.vectors[first, i]) for i in sorted(others)}
    return replace(frame.of(chosen), constants=constants)


def after_warm_up(frame: Frame) -> Frame:
    """Without the first fortnight, or fifth if that is shorter: windows were not yet full then.

    All of it where too few labels would be left: a fraud is worth more than full windows then.
    """
    begin, end = int(frame.times.min()), int(frame.times.max())
    later = frame.take(frame.times >= begin + min(WARM_UP, (end - begin) // 5))
    return later if min(later.frauds, later.genuine) >= _ENOUGH else frame


def split_by_time(frame: Frame, share: float = 0.2) -> tuple[Frame, Frame]:
    """(earlier, later), the later with that share of the labelled rows of each kind, at least.

    Raises InvalidInputError where either side would lack labels of a kind.
    """
    labelled = [frame.times[frame.labels == value] for value in (1, 0)]
    for times, what in zip(labelled, ("fraud", "genuine"), strict=True):
        if len(times) < 2 * LEAST_OF_EACH:
            raise InvalidInputError(
                "labels",
                f"{len(times)} transactions are labelled {what} as known then;"
                f" training needs at least {2 * LEAST_OF_EACH}",
            )
    moment = min(_cut(np.sort(times), share) for times in labelled)
    cut = int(np.searchsorted(frame.times, moment))
    earlier, later = frame.take(slice(None, cut)), frame.take(slice(cut, None))
    if min(earlier.frauds, earlier.genuine) < LEAST_OF_EACH:
        raise InvalidInputError(
            "labels", "fraud and genuine labels are too far apart in time to validate on the later"
        )
    return earlier, later


def last_whole_weeks(frame: Frame, least: int) -> Frame:
    """The end of it, as many whole weeks as take at least that long in microseconds, and one at
    least; all of it where it is shorter. Traffic has the rhythm of a week."""
    weeks = max(-(-least // WEEK), 1)
    return frame.take(frame.times > int(frame.times.max()) - weeks * WEEK)


def measured_part(frame: Frame, names: Sequence[str]) -> Frame:
    """The later part of a frame that a model of these features was measured on."""
    places = np.array([frame.names.index(name) for name in names], dtype=np.int64)
    return split_by_time(after_warm_up(frame).of(places))[1]


def _cut(times: Ints, share: float) -> int:
    later = max(int(len(times) * share), LEAST_OF_EACH)
    return int(times[len(times) - later])
