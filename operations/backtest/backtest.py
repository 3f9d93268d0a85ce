"""Backtest: a model's scores of past transactions, from replayed features."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from commands.ports import ModelScorer
from domain.errors import InvalidInputError
from domain.events import Thresholds
from domain.features import CATALOGUE
from domain.features.payments import UNLABELLED
from eventlog.archive.history import History
from host.clock import now_us
from host.files import whole_file, writing
from inference.evaluation.measures import MeasureSettings, by_maturity
from inference.evaluation.metrics import auc, average_precision
from inference.frame.frame import Floats
from operations.models.lifecycle import Models
from operations.training.log_frame import frame_of, replayed
from projections.replay.dataset import Dataset

_COUNT_EVERY = 5_000
Say = Callable[[str], None]
Count = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Backtest:
    """Scores [transactions] in [0, 1], in the order of `history`.

    Its labels are as known at `known_at`, the moment of the backtest. `knows_no_history` is of the
    model: it has no feature of any entity.
    """

    model_id: str
    model_hash: str
    history: Dataset
    scores: Floats
    thresholds: Thresholds
    known_at: int
    knows_no_history: bool = False

    @property
    def labelled(self) -> tuple[Floats, Floats]:
        """(labels, scores) of the transactions that are labelled by now."""
        rows = self.history.labels != UNLABELLED
        return self.history.labels[rows].astype(np.float64), self.scores[rows]

    def summary(self) -> dict[str, Any]:
        """What `retrace backtest --json` prints of it; no quality where one class is missing."""
        labels, values = self.labelled
        both = 0 < labels.sum() < len(labels)
        return {
            "model_id": self.model_id,
            "model_hash": self.model_hash,
            "knows_no_history": self.knows_no_history,
            "transactions": len(self.history),
            "labelled": len(labels),
            "frauds": int(labels.sum()),
            "auc": auc(labels, values) if both else None,
            "average_precision": average_precision(labels, values) if both else None,
        }

    def measures(self, chosen: MeasureSettings) -> dict[str, dict[str, Any]]:
        """By maturity of labels, at the thresholds that came with the model."""
        order = np.argsort(self.history.times, kind="stable")
        frame = frame_of(self.history, self.known_at)
        return by_maturity(frame, self.scores[order], self.thresholds, chosen)


def backtest(
    models: Models, history: History, model: str, begin: int, end: int, say: Say, count: Count
) -> Backtest:
    """Scores every transaction with begin <= event time < end; microseconds UTC.

    Each has the features of its own moment, and so the labels that were known by then. Raises
    NotFoundError for an unknown model, SettingsError for one of other features, InvalidInputError
    where there is no such transaction.
    """
    found = models.registry.find(model)
    scorer = models.load(found.model_hash)
    scorer.inputs.check(CATALOGUE)
    now = now_us()
    past = replayed(history, now, begin, end, say, count)
    if not len(past):
        raise InvalidInputError("--from/--to", "the log has no transaction of that time")
    say(f"scoring {len(past):,} transactions with {found.model_id}")
    scores = scored(scorer, past, count)
    manifest = models.manifest(found)
    return Backtest(
        found.model_id,
        found.model_hash,
        past,
        scores,
        manifest.thresholds,
        now,
        manifest.knows_no_history,
    )


def scored(scorer: ModelScorer, history: Dataset, count: Count) -> Floats:
    """One by one, as decisions are: another batch size could give other bits."""
    places = scorer.inputs.places(history.features)
    scores = np.empty(len(history))
    for number, row in enumerate(history.values[:, places]):
        scores[number] = scorer.value(row)
        if number % _COUNT_EVERY == 0:
            count(number, len(history))
    return scores


def write(made: Backtest, path: Path) -> None:
    """CSV of TRANSACTION_ID,score, whole or not at all; scores read back exactly."""
    with (
        writing(path, "name another file"),
        whole_file(path, durable=False) as draft,
        draft.open("w", newline="") as file,
    ):
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["TRANSACTION_ID", "score"])
        ids = made.history.transaction_ids.tolist()
        lines.writerows(zip(ids, map(repr, made.scores.tolist()), strict=True))
