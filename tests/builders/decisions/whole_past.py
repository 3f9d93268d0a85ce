"""The past of a backtest in memory, from one replay of the whole log: what slices are held to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any

import numpy as np

from domain.features import CATALOGUE, FeatureSet
from domain.features.payments import Payments
from domain.policy.rollout import WHOLE
from domain.transactions import Transaction
from eventlog.archive.history import History
from operations.backtest.policies.past import Floats, Past, ScoreVectors
from operations.training.log_frame import replayed
from projections.replay.dataset import Dataset
from projections.replay.rules import Column
from projections.replay.transactions import NUMBERS, TEXTS, PastTransactions, Texts, attribute


def nothing(*_: Any) -> None:
    """Shows no progress."""


def nowhere(_: str, __: FeatureSet, values: Floats) -> tuple[Floats, bool]:
    """A model without a decision."""
    return np.zeros(len(values)), True


def told(past: Past) -> dict[str, Any]:
    """All that it says, to the bit."""
    made, said = past.made, past.transactions
    columns = {name: column.column() for name, column in said.texts.items()} | dict(said.numbers)
    arrays = {name: getattr(made, name) for name in ("times", "known", "labels", "values")}
    arrays |= {each.name: getattr(made.payments, each.name) for each in fields(Payments)}
    arrays |= {"chances": past.propensities, "scores": past.scores("m", np.arange(len(past)))}
    return {
        "ids": made.transaction_ids.tolist(),
        "texts": {name: (c.values.tolist(), c.known.tolist()) for name, c in columns.items()},
        "features": made.features.names,
        **{name: (array.shape, array.dtype, array.tobytes()) for name, array in arrays.items()},
    }


def whole_past(
    history: History,
    begin: int,
    end: int,
    as_known_at: int,
    attributes: Collection[str],
    score: ScoreVectors,
    features: FeatureSet = CATALOGUE,
) -> Past:
    """As `operations.backtest.policies.past.read_past`."""

    made = replayed(history, as_known_at, begin, end, nothing, nothing, features=features)
    carried = list(history.transactions(begin, end))
    shares = {
        (each.transaction.transaction_id, each.transaction.timestamp): each.exploration.share
        for each in carried
        if each.exploration is not None
    }
    uses = zip(made.transaction_ids.tolist(), made.times.tolist(), strict=True)
    chances = [
        shares[use] / WHOLE if use in shares else float(not declined)
        for use, declined in zip(uses, made.payments.declined.tolist(), strict=True)
    ]
    fields = past_transactions((each.transaction for each in carried), made, attributes)
    return Past(made, fields, score, propensities=np.array(chances))


def past_transactions(
    found: Iterable[Transaction], made: Dataset, attributes: Collection[str] = ()
) -> PastTransactions:
    """`found` holds each transaction of `made`, in any order."""
    by_use = {(x.transaction_id, x.timestamp): x for x in found}
    uses = zip(made.transaction_ids.tolist(), made.times.tolist(), strict=True)
    placed = [by_use[use] for use in uses]
    texts = {name: _texts([getattr(x, name) for x in placed]) for name in TEXTS}
    for name in attributes:
        given = [x.attributes.get(name) for x in placed]
        kept = [text if isinstance(text, str) and text.strip() else None for text in given]
        texts[attribute(name)] = _texts(kept)
    numbers = {}
    for name, kind in NUMBERS.items():
        values = [getattr(x, name) for x in placed]
        filled = np.array([0 if value is None else value for value in values], dtype=kind)
        numbers[name] = Column(filled, np.array([value is not None for value in values], bool))
    return PastTransactions(texts, numbers)


def _texts(values: list[str | None]) -> Texts:
    known = sorted({value for value in values if value is not None})
    numbers = {value: number for number, value in enumerate(known)}
    codes = [-1 if value is None else numbers[value] for value in values]
    return Texts(np.array(codes, dtype=np.int64), known)
