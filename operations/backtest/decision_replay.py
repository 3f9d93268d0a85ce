"""Replay of a model's own decisions: from what each recorded, and from replayed features."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from commands.ports import ModelScorer
from domain.events import TransactionScored
from domain.features import CATALOGUE
from domain.policy.verdict import verdict_of
from inference.frame.frame import Floats
from projections.replay.dataset import Dataset


@dataclass(slots=True)
class DecisionReplay:
    """Counts of one model's decisions.

    `compared` have the fingerprint of this machine's scorer and the features of this version: equal
    bits are promised for those alone. Of them `record_differs` give another score, outcome or
    reasons when decided again from their own record, and `replay_differs` another score in the
    replay; `served_otherwise` of these were served another vector than the ideal one.
    """

    decisions: int = 0
    compared: int = 0
    record_differs: int = 0
    replay_differs: int = 0
    served_otherwise: int = 0

    @property
    def differ(self) -> bool:
        """True where a bit is not as promised; features that were served late break no promise."""
        return self.record_differs > 0 or self.replay_differs > self.served_otherwise


def replay_decisions(
    decisions: Iterable[TransactionScored], scorer: ModelScorer, history: Dataset, scores: Floats
) -> DecisionReplay:
    """Replays the decisions of the scorer's model about transactions in `history`.

    `scores` [transactions] are those of the backtest, in the order of `history`.
    """
    numbers = {name: number for number, name in enumerate(history.transaction_ids.tolist())}
    places = scorer.inputs.places(CATALOGUE)
    counted = DecisionReplay()
    for each in decisions:
        number = numbers.get(each.transaction.transaction_id)
        if number is None or each.model_hash != scorer.model_hash or each.path != "full":
            continue
        counted.decisions += 1
        if each.fingerprint != scorer.fingerprint or each.feature_set != CATALOGUE.hash:
            continue
        counted.compared += 1
        served = [each.features[place] for place in places]
        counted.record_differs += not _as_recorded(each, scorer, served)
        if each.score != scores[number]:
            counted.replay_differs += 1
            ideal = history.values[number, places]
            vector = np.array(served, dtype=np.float64)  # None becomes NaN
            counted.served_otherwise += not np.array_equal(vector, ideal, equal_nan=True)
    return counted


def _as_recorded(
    decision: TransactionScored, scorer: ModelScorer, served: list[float | None]
) -> bool:
    score = scorer.score(decision.transaction, served)
    verdict = verdict_of(score, decision.thresholds, decision.path, decision.flags)
    replayed = (score.value, verdict.outcome, verdict.reasons)
    return replayed == (decision.score, decision.outcome, decision.reasons)
