"""The past that policies are tried on: transactions with their features, labels and scores."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvalidInputError
from domain.features import CATALOGUE, FeatureSet
from domain.transactions import Transaction
from eventlog.archive.history import History
from inference.artefacts.store import Artefact
from inference.serving.bulk import bulk_scores
from operations.backtest.laying.decided import RecordedDecisions, Serving, none_decided
from operations.backtest.laying.files import open_columns
from operations.backtest.laying.lay_down import Means, lay_down
from operations.backtest.laying.spilling import Period
from operations.backtest.policies.declared import is_declared
from operations.progress import Count, Say
from projections.replay.dataset import Dataset
from projections.replay.rules import Bools, Column
from projections.replay.transactions import PastTransactions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ScoreVectors = Callable[[str, FeatureSet, Floats], tuple[Floats, bool]]
"""From a model's hash and vectors [n, features] of a set to scores [n], with the bits of decisions,
and whether many were scored at once. Raises NotFoundError, IntegrityError or SettingsError."""

IDEAL = Serving({CATALOGUE.hash: CATALOGUE})
"""Ideal vectors, compared with those that were served by this version's set."""

_AT_ONCE = 50_000


@lru_cache(maxsize=8)
def _first(features: FeatureSet, number: int) -> FeatureSet:
    """One object for each set, as models know sets that they have met."""
    return FeatureSet(features.features[:number])


def in_parts(rows: Ints) -> list[Ints]:
    """Rows that are held at once; of about equal length, as whether many are scored at once is
    tried on each part, and a short one would not tell."""
    return np.array_split(rows, max(1, len(rows) // _AT_ONCE))


@dataclass(slots=True)
class Past:
    """Everything [transactions], in the order of `made`.

    `score` scores vectors by a model; each is scored once, when it is first asked for.
    `one_by_one` is True once a model had to be scored row by row. `propensities` are the chances
    that the live policy let them pass: 1 for all but what it would decline, there the share of
    its exploration, or 0. `decided` is what was decided live.
    """

    made: Dataset
    transactions: PastTransactions
    score: ScoreVectors
    one_by_one: bool = False
    propensities: Floats = field(default_factory=lambda: np.ones(0))
    decided: RecordedDecisions = field(default_factory=lambda: none_decided(0))
    _scores: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.propensities) != len(self.made):
            self.propensities = np.ones(len(self.made))
        if len(self.decided.versions) != len(self.made):
            self.decided = none_decided(len(self.made))

    def __len__(self) -> int:
        return len(self.made)

    def scores(self, model_hash: str, rows: Ints) -> Floats:
        """Of the transactions in `rows`. Raises NotFoundError, IntegrityError or SettingsError."""
        held = self._scores.setdefault(model_hash, np.full(len(self), np.nan))
        lacking = rows[np.isnan(held[rows])]
        features = self.made.features
        # Last come features that candidates declare: no model takes them.
        own = sum(not is_declared(name) for name in features.names)
        if own < len(features):
            features = _first(features, own)
        values = self.made.values[:, :own]
        if len(lacking) == len(self):
            held[:], together = self.score(model_hash, features, values)
            self.one_by_one |= not together
        elif len(lacking):
            for some in in_parts(lacking):
                held[some], together = self.score(model_hash, features, values[some])
                self.one_by_one |= not together
        return held[rows]

    def column(self, name: str, rows: Ints) -> Column:
        """A feature by its column, or a field as `transaction.<field>`, as rules see it."""
        if name.startswith("transaction."):
            field_name = {
                "transaction.amount_minor": "amount",
                "transaction.base_amount_minor": "base_amount",
            }.get(name, name.removeprefix("transaction."))
            return self.transactions.column(field_name, rows)
        place = self.made.features.names.index(name)
        values = self.made.values[rows, place]
        known: Bools = ~np.isnan(values)
        entity = self.made.features.features[place].entity
        if entity is not None:
            known &= self.transactions.names(entity, rows) & self.decided.read(rows)
        return Column(values, known)

    def transaction(self, row: int) -> Transaction:
        """As far as the fallback rules look at it."""
        told: dict[str, Any] = {}
        for name in ("card_id", "customer_id", "mcc", "channel"):
            texts = self.transactions.texts[name]
            code = int(texts.codes[row])
            told[name] = texts.values[code] if code >= 0 else None
        return Transaction(
            transaction_id=str(self.made.transaction_ids[row]),
            timestamp=int(self.made.times[row]),
            amount=int(self.transactions.numbers["amount"].values[row]),
            currency="",
            base_amount=int(self.transactions.numbers["base_amount"].values[row]),
            **told,
        )


def by_artefacts(open_model: Callable[[str], Artefact]) -> ScoreVectors:
    """By the graph of a model's files, whatever serves it live."""

    def score(model_hash: str, features: FeatureSet, values: Floats) -> tuple[Floats, bool]:
        artefact = open_model(model_hash)
        places = artefact.manifest.inputs.places(features)
        return bulk_scores(artefact, values, places)

    return score


def read_past(
    history: History,
    begin: int,
    end: int,
    as_known_at: int,
    attributes: Collection[str],
    score: ScoreVectors,
    say: Say,
    count: Count,
    features: FeatureSet = CATALOGUE,
    means: Means | None = None,
    folder: Path | None = None,
    serving: Serving = IDEAL,
) -> Past:
    """Transactions with begin <= event time < end; microseconds UTC.

    Their `features` come from the whole log before them, so that their windows are warm when the
    period begins; where `serving` says so, those that were decided live have what they were served.
    The columns lie in `folder`, else in one that is gone once they are opened.
    Raises InvalidInputError where there is no such transaction, and as `lay_down`.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            return read_past(
                history, begin, end, as_known_at, attributes, score, say, count, features, means,
                Path(made), serving,
            )  # fmt: skip
    period = Period(begin, end, as_known_at)
    given = means or Means()
    if not lay_down(history, period, features, attributes, folder, given, serving, say, count):
        raise InvalidInputError("--from/--to", "the log has no transaction of that time")
    return past_in(folder, score)


def past_in(folder: Path, score: ScoreVectors) -> Past:
    """What was laid down there; its arrays are read as they are used. Raises IntegrityError."""
    found = open_columns(folder)
    return Past(
        found.made,
        found.transactions,
        score,
        propensities=found.propensities,
        decided=found.decided,
    )
