"""Feedback: what a policy's decisions change in features, and whom confirmed fraud blocks.

Features that are filtered on outcome change with decisions, and no others do: an unfiltered one
counts attempts, and one of labels what was reported. So of a whole vector only these are computed
again, and only for the entities with a changed outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInputError, UnavailableError
from domain.features import Entity, FeatureSet
from domain.features.declarations.feature import Filter
from domain.features.declarations.filters import FILTER_BITS
from domain.features.engine import in_this_order, vectors
from domain.features.kernel.row_layout import (
    FILTERS,
    IS_FRAUD,
    IS_GENUINE,
    IS_OVERRULED,
    IS_STEP_UP,
    IS_TRANSACTION,
    KIND,
    PRESENT,
    TIME,
    TRANSACTION,
    TRANSACTION_TIME,
    Rows,
)
from domain.policy.thresholds import SEVERITY
from eventlog.events_table import EventTable
from operations.backtest.policies.declared import is_declared
from operations.backtest.policies.past import Floats, Ints, Past
from projections.replay.ideal import known_order
from projections.replay.rules import Bools
from projections.replay.ruling import Outcomes

Blocking = Literal["card", "payer", "none"]
"""Whose payments stop once a fraud of theirs is known; a payer is the customer, else the card."""

BLOCKING: tuple[Blocking, ...] = get_args(Blocking)
_OF_STEP_UPS = (Filter.STEP_UP_FAILED, Filter.STEP_UP_PASSED)
ON_OUTCOME = frozenset({Filter.DECLINED, Filter.APPROVED, *_OF_STEP_UPS})
_OF_DECISIONS = FILTER_BITS[Filter.DECLINED] | FILTER_BITS[Filter.APPROVED]
_DECLINE, _STEP_UP, _APPROVE = (SEVERITY.index(o) for o in ("decline", "step_up", "approve"))
_ENTITIES = {"card": Entity.CARD, "payer": Entity.PAYER}
_ODD = np.int64(0x9E3779B97F4A7C15 - (1 << 64))


@dataclass(frozen=True, slots=True)
class Feedback:
    """Payments and step-ups in known order, `rows` [m]; `logged` are their filters in the log.

    `numbers` [m] are rows of the past, -1 for what lies outside its period; of a step-up that of
    its payment. `features` are those filtered on outcome, in the columns `places` of a vector.
    `stopped` [transactions] came after a fraud of theirs was known.
    """

    features: FeatureSet
    places: Ints
    rows: Rows
    logged: Ints
    numbers: Ints
    codes: Mapping[Entity, Ints]
    stopped: Bools

    def seen_by(self, columns: Collection[str]) -> Feedback:
        """Without features that other candidates declare: `columns` are the policy's own."""
        kept = [
            n for n, name in enumerate(self.features.names)
            if name in columns or not is_declared(name)
        ]  # fmt: skip
        if len(kept) == len(self.features):
            return self
        features = FeatureSet(self.features.features[n] for n in kept)
        return replace(self, features=features, places=self.places[kept])

    def filters(self, outcomes: Outcomes) -> Ints:
        """The filters [m] of the events, had the payments of the period had these outcomes.

        A payment that stopped has none. The result of a step-up is that of the log, where the
        payment is still stepped up, and no result where it is not.
        """
        bits = np.zeros(len(outcomes), dtype=np.int64)
        bits[outcomes == _DECLINE] = FILTER_BITS[Filter.DECLINED]
        bits[outcomes == _APPROVE] = FILTER_BITS[Filter.APPROVED]
        bits[self.stopped] = 0
        asked = (outcomes == _STEP_UP) & ~self.stopped
        inside = self.numbers >= 0
        payments = inside & (self.rows[:, KIND] == IS_TRANSACTION)
        step_ups = inside & ~payments
        made = self.logged.copy()
        made[payments] = (made[payments] & ~_OF_DECISIONS) | bits[self.numbers[payments]]
        made[step_ups] *= asked[self.numbers[step_ups]]
        return made


@dataclass(slots=True)
class Replay:
    """The features of a feedback as they are under some outcomes, at first those of the log.

    `values` [transactions, features] of the feedback.
    """

    feedback: Feedback
    values: Floats
    _filters: Ints = field(init=False)

    def __post_init__(self) -> None:
        self._filters = self.feedback.logged

    def moved(self, outcomes: Outcomes) -> Ints:
        """Takes these outcomes over; returns the transactions that have other values for it."""
        now = self.feedback.filters(outcomes)
        changed = np.flatnonzero(now != self._filters)
        self._filters = now
        moved = np.zeros(len(outcomes), dtype=bool)
        for entity in self.feedback.features.entities:
            self._again(entity, changed, moved)
        return np.flatnonzero(moved)

    def _again(self, entity: Entity, changed: Ints, moved: Bools) -> None:
        """Computes the entities anew that have a changed event."""
        source = self.feedback
        codes = source.codes[entity]
        wanted = np.zeros(int(codes.max(initial=-1)) + 2, dtype=bool)
        wanted[codes[changed]] = True
        # The last place is that of -1, which is no entity.
        wanted[-1] = False
        at = np.flatnonzero(wanted[codes])
        mine = source.numbers[at]
        due = np.where((source.rows[at, KIND] == IS_TRANSACTION) & (mine >= 0), 0, -1)
        asked = mine[due == 0]
        if not len(asked):
            return
        due[due == 0] = np.arange(len(asked))
        rows = source.rows[at]
        rows[:, FILTERS] = self._filters[at]
        _, renumbered = np.unique(codes[at], return_inverse=True)
        columns = [n for n, f in enumerate(source.features.features) if f.entity is entity]
        alone = FeatureSet(source.features.features[n] for n in columns)
        made = vectors(alone, {entity: renumbered.astype(np.int64)}, rows, due)
        place = np.ix_(asked, np.array(columns))
        before = self.values[place]
        same = (before == made) | (np.isnan(before) & np.isnan(made))
        self.values[place] = made
        moved[asked[~same.all(axis=1)]] = True


def parse_blocking(text: str) -> Blocking:
    """Raises InvalidInputError."""
    for each in BLOCKING:
        if each == text:
            return each
    raise InvalidInputError("--block", f"{text!r} is none of {', '.join(BLOCKING)}")


def feedback_of(
    events: EventTable, past: Past, period: tuple[int, int], as_known_at: int, block: Blocking
) -> Feedback:
    """`events` are those that the past was made of, and `period` and moment are its own.

    Raises UnavailableError where they are not.
    """
    order = known_order(events)
    order = order[events.known[order] <= as_known_at]
    # Offsets that rise let any part of the rows be folded as it stands.
    rows = in_this_order(events.rows[order])
    payments = rows[:, KIND] == IS_TRANSACTION
    inside = payments & (rows[:, TIME] >= period[0]) & (rows[:, TIME] < period[1])
    if not np.array_equal(events.transaction_ids[order[inside]], past.made.transaction_ids):
        raise UnavailableError("log", "it has changed while it was read: start again")
    numbers = np.full(len(rows), -1, dtype=np.int64)
    numbers[inside] = np.arange(int(inside.sum()))
    step_ups = np.flatnonzero(rows[:, KIND] == IS_STEP_UP)
    numbers[step_ups] = _payments_of(rows[step_ups], rows[inside])
    folded = np.flatnonzero(payments | (rows[:, KIND] == IS_STEP_UP))
    features = FeatureSet(f for f in past.made.features.features if f.filter in ON_OUTCOME)
    places = [n for n, f in enumerate(past.made.features.features) if f.filter in ON_OUTCOME]
    stopped = np.zeros(int(inside.sum()), dtype=bool)
    if block != "none":
        stopped = _stopped(rows, events.codes[_ENTITIES[block]][order])[inside]
    return Feedback(
        features,
        np.array(places, dtype=np.int64),
        rows[folded],
        rows[folded, FILTERS],
        numbers[folded],
        {entity: events.codes[entity][order[folded]] for entity in features.entities},
        stopped,
    )


def _payments_of(step_ups: Rows, payments: Rows) -> Ints:
    """The number among `payments` of each step-up's own, -1 where it is not there."""
    uses, wanted = (each[:, TRANSACTION] ^ (each[:, TIME] * _ODD) for each in (payments, step_ups))
    order = np.argsort(uses, kind="stable")
    place = np.minimum(np.searchsorted(uses[order], wanted), max(len(uses) - 1, 0))
    if not len(uses):
        return np.full(len(wanted), -1, dtype=np.int64)
    found = order[place]
    return np.where(uses[found] == wanted, found, -1)


def _stopped(rows: Rows, codes: Ints) -> NDArray[np.bool_]:
    """Of each row whether one of the payments of its card or payer was known as fraud before it.

    The last label of a payment in the log's order counts, among those known by then.
    """
    labels = np.flatnonzero(np.isin(rows[:, KIND], (IS_FRAUD, IS_GENUINE)))
    labels = labels[rows[labels, PRESENT] & IS_OVERRULED == 0]
    uses = rows[labels, TRANSACTION] ^ (rows[labels, TRANSACTION_TIME] * _ODD)
    by_use = np.lexsort((labels, uses))
    fraud = (rows[labels[by_use], KIND] == IS_FRAUD).astype(np.int64)
    # What each label changes in the number of payments that are known as fraud.
    step = fraud.copy()
    same = np.flatnonzero(uses[by_use][1:] == uses[by_use][:-1]) + 1
    step[same] -= fraud[same - 1]
    change = np.zeros(len(rows), dtype=np.int64)
    change[labels[by_use]] = step
    order = np.lexsort((np.arange(len(rows)), codes))
    known = np.cumsum(change[order])
    begins = np.searchsorted(codes[order], codes[order])
    before = np.concatenate([[0], known])
    found = np.empty(len(rows), dtype=bool)
    found[order] = before[1:] - change[order] - before[begins] > 0
    found[codes < 0] = False
    return found
