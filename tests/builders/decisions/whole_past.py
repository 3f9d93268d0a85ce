"""The past of a backtest in memory, from one replay of the whole log: what slices are held to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from domain.features import CATALOGUE, FeatureSet
from domain.features.payments import Payments
from domain.policy.rollout import WHOLE
from domain.policy.thresholds import SEVERITY
from domain.transactions import Transaction
from eventlog.archive.history import History
from eventlog.codec import Carried
from operations.backtest.laying.decided import TOLD, RecordedDecisions, Serving, none_decided
from operations.backtest.policies.past import IDEAL, Floats, Past, ScoreVectors
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
    texts = {**said.texts, **past.decided.texts}
    columns = {name: column.column() for name, column in texts.items()} | dict(said.numbers)
    arrays = {name: getattr(made, name) for name in ("times", "known", "labels", "values")}
    arrays |= {each.name: getattr(made.payments, each.name) for each in fields(Payments)}
    of_decisions = ("versions", "scores", "outcomes", "served", "stale", "stale_values")
    arrays |= {f"decided {name}": getattr(past.decided, name) for name in of_decisions}
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
    serving: Serving = IDEAL,
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
    by_use = {(x.transaction.transaction_id, x.transaction.timestamp): x for x in carried}
    uses = zip(made.transaction_ids.tolist(), made.times.tolist(), strict=True)
    decided, values = _decided([by_use[use] for use in uses], made, serving)
    made = replace(made, values=values)
    return Past(made, fields, score, propensities=np.array(chances), decided=decided)


def _decided(
    carried: Sequence[Carried], made: Dataset, serving: Serving
) -> tuple[RecordedDecisions, Floats]:
    """Payment by payment, and the vectors that are then decided by."""
    found, values = none_decided(len(carried)), made.values.copy()
    texts: dict[str, list[str | None]] = {name: [None] * len(carried) for name in TOLD}
    for row, each in enumerate(carried):
        if each.policy_version is None:
            continue
        found.versions[row], found.scores[row] = each.policy_version, each.score
        found.outcomes[row] = SEVERITY.index(each.outcome)
        told = {"path": each.path, "flags": " ".join(each.flags), "model": each.model_hash}
        told |= {"fingerprint": each.fingerprint, "reasons": ""}
        for name, text in told.items():
            texts[f"decided.{name}"][row] = text
        if each.exploration is not None:
            passed = "passed" if each.exploration.explored else "declined"
            texts["decided.explored"][row] = f"{passed} at {each.exploration.share}"
        if (known := serving.sets.get(each.feature_set)) is None:
            continue
        found.served[row] = True
        served = dict(zip(known.names, each.features, strict=True))
        for place, name in reversed(list(enumerate(made.features.names))):
            value = served.get(name, made.values[row, place])
            value = np.nan if value is None else value
            if repr(float(value)) != repr(float(made.values[row, place])):
                found.stale[row], found.stale_values[row] = place, value
            if serving.taken:
                values[row, place] = value
    return replace(found, texts={name: _texts(each) for name, each in texts.items()}), values


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
