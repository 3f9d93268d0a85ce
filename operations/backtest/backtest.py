"""Owns a frozen model's scores of past transactions: replayed features, the kernel that serves."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from commands.models.registry import registry_of
from domain.errors import InvalidInputError
from domain.events import Thresholds, TransactionScored
from domain.features import CATALOGUE
from host.clock import now_us
from host.files import whole_file, writing
from inference.evaluation.measures import MeasureSettings, by_maturity
from inference.training.frame.frame import Floats
from operations.backtest.decision_replay import TakenAgain, taken_again
from operations.training.log_frame import frame_of, replayed
from projections.replay.dataset import UNLABELLED, Dataset
from runtime.composition.history import open_history
from runtime.composition.log import log_of
from runtime.composition.models import artefacts_of
from runtime.composition.scorers import ModelScorer, open_scorers
from runtime.settings import Settings

_TOLD_EVERY = 5_000
Say = Callable[[str], None]
Count = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Backtest:
    """Scores [transactions] in [0, 1], in the order of `history`, whose labels are those of
    `known_at`, the moment of the backtest. `again` is of the model's own decisions, where asked
    for."""

    model_id: str
    model_hash: str
    history: Dataset
    scores: Floats
    thresholds: Thresholds
    known_at: int
    again: TakenAgain | None = None

    @property
    def labelled(self) -> tuple[Floats, Floats]:
        """(labels, scores) of what is labelled today."""
        rows = self.history.labels != UNLABELLED
        return self.history.labels[rows].astype(np.float64), self.scores[rows]

    def measures(self, chosen: MeasureSettings) -> dict[str, dict[str, Any]]:
        """By maturity of labels, at the thresholds that came with the model."""
        order = np.argsort(self.history.times, kind="stable")
        frame = frame_of(self.history, self.known_at)
        return by_maturity(frame, self.scores[order], self.thresholds, chosen)


def backtest(
    settings: Settings,
    model: str,
    begin: int,
    end: int,
    say: Say,
    count: Count,
    decisions: bool = False,
) -> Backtest:
    """Scores every transaction with begin <= event time < end; microseconds UTC.

    Each has the features of its own moment, so that labels move them as they became known. With
    `decisions` those that the model made of these transactions are taken again. Raises
    NotFoundError for an unknown model, SettingsError for one of other features, InvalidInputError
    where there is no such transaction.
    """
    log = log_of(settings)
    try:
        named = registry_of(log).find(model)
    finally:
        log.close()
    with open_scorers(settings) as load:
        scorer = load(named.model_hash)
        scorer.inputs.check(CATALOGUE)
        now = now_us()
        with open_history(settings) as (_, whole):
            history = replayed(whole, now, begin, end, say, count)
        if not len(history):
            raise InvalidInputError("--from/--to", "the log has no transaction of that time")
        say(f"scoring {len(history):,} transactions with {named.model_id}")
        scores = scored(scorer, history, count)
        again = None
        if decisions:
            say("taking its decisions again")
            again = taken_again(_decisions(settings), scorer, history, scores)
    at = artefacts_of(settings).open(named.model_hash).manifest.thresholds
    return Backtest(named.model_id, named.model_hash, history, scores, at, now, again)


def _decisions(settings: Settings) -> Iterator[TransactionScored]:
    with open_history(settings) as (_, log):
        for each in log.counting(frozenset({TransactionScored.NAME})):
            yield each.envelope.data


def scored(scorer: ModelScorer, history: Dataset, count: Count) -> Floats:
    """One by one, as decisions are: another batch size could give other bits."""
    places = scorer.inputs.places(history.features)
    scores = np.empty(len(history))
    for number, row in enumerate(history.values[:, places]):
        scores[number] = scorer.value(row)
        if number % _TOLD_EVERY == 0:
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
