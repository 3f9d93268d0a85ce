"""Extract: some transactions of a past as a past of their own, and decisions put together again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from operations.backtest.policies.deciding import Decisions, Part
from operations.backtest.policies.past import Floats, Ints, Past
from projections.replay.rules import Bools, Column
from projections.replay.ruling import Rulings
from projections.replay.transactions import PastTransactions, Texts


def extract(past: Past, rows: Ints, values: Floats | None = None) -> Past:
    """The transactions in `rows`, with vectors of their own; without any for figures alone."""
    made, fields = past.made, past.transactions
    given = np.zeros((len(rows), 0)) if values is None else values
    return Past(
        replace(
            made,
            at=made.at[rows],
            transaction_ids=made.transaction_ids[rows],
            times=made.times[rows],
            known=made.known[rows],
            labels=made.labels[rows],
            values=given,
            payments=made.payments.take(rows),
        ),
        PastTransactions(
            {name: Texts(each.codes[rows], each.values) for name, each in fields.texts.items()},
            {
                name: Column(each.values[rows], each.known[rows])
                for name, each in fields.numbers.items()
            },
        ),
        past.score,
        propensities=past.propensities[rows],
        decided=past.decided.take(rows),
    )


def kept(made: Decisions, rows: Bools) -> Decisions:
    """The decisions of `rows` alone, renumbered."""
    numbers = np.cumsum(rows) - 1
    parts = tuple(_within(part, rows[part.rows], numbers) for part in made.parts)
    return Decisions(made.name, parts, made.outcomes[rows], made.scores[rows])


def replaced(made: Decisions, rows: Ints, again: Decisions) -> Decisions:
    """`made`, with `again` in place of the decisions of `rows`, in the order of these."""
    outcomes, scores = made.outcomes.copy(), made.scores.copy()
    outcomes[rows], scores[rows] = again.outcomes, again.scores
    others = np.ones(len(outcomes), dtype=bool)
    others[rows] = False
    same = np.arange(len(outcomes))
    parts = [_within(part, others[part.rows], same) for part in made.parts]
    parts += [replace(part, rows=rows[part.rows]) for part in again.parts]
    return Decisions(made.name, tuple(parts), outcomes, scores)


def _within(part: Part, mask: NDArray[np.bool_], numbers: Ints) -> Part:
    """The rows of a part that are in the `mask` of them, under their new `numbers`."""
    places, ruled = np.cumsum(mask) - 1, part.rulings
    fired = tuple(places[each[mask[each]]] for each in ruled.fired)
    return replace(
        part,
        rows=numbers[part.rows[mask]],
        scores=part.scores[mask],
        rulings=Rulings(ruled.points[mask], ruled.approves[mask], ruled.least[mask], fired),
    )
