"""Loop: decisions of a policy whose features know its own earlier decisions.

The features of a transaction hang on the outcomes of what stands before it in known order, and on
nothing after it. So there is one assignment of outcomes that agrees with itself, and it is what
deciding one by one gives: the first transaction has no choice, and by induction none after it has.
It is found without going one by one. Begin with the open loop; compute the features that these
outcomes lead to; decide those again whose features are others; repeat until none is. Where nothing
changes all agree. After round r at least the first r transactions are as they stay, in truth those
up to the r-th step of a chain of changes: it ends, and a round costs what is still changing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from commands.ports import RuleLanguage
from operations.backtest.policies.closed_loop.extract import extract, replaced
from operations.backtest.policies.closed_loop.feedback import Feedback, Replay
from operations.backtest.policies.deciding import Decisions, decide
from operations.backtest.policies.declared import columns_of
from operations.backtest.policies.past import Floats, Ints, Past
from operations.backtest.policies.policy import Policy
from operations.progress import Count


@dataclass(frozen=True, slots=True)
class Closed:
    """`decisions` of the closed loop, found in `rounds`; `decided` counts those made anew, each
    round by itself."""

    decisions: Decisions
    rounds: int
    decided: int


def closed_loop(
    past: Past,
    feedback: Feedback,
    opened: Decisions,
    policy: Policy,
    language: RuleLanguage,
    count: Count,
) -> Closed:
    """`opened` are the policy's decisions in the open loop. What stopped has a decision too, which
    feeds nothing. Raises what `decide` raises."""
    feedback = feedback.seen_by(columns_of(policy.features).values())
    replay = Replay(feedback, past.made.values[:, feedback.places])
    outcomes = opened.outcomes.copy()
    touched = np.zeros(len(past), dtype=bool)
    rounds = decided = 0
    while len(moved := replay.moved(outcomes)):
        again = decide(_moved(past, replay, moved), policy, language)
        outcomes[moved] = again.outcomes
        touched[moved] = True
        rounds, decided = rounds + 1, decided + len(moved)
        count(decided, decided)
    rows = np.flatnonzero(touched)
    made = decide(_moved(past, replay, rows), policy, language)
    return Closed(replaced(opened, rows, made), rounds, decided)


def _moved(past: Past, replay: Replay, rows: Ints) -> Past:
    values: Floats = past.made.values[rows]
    values[:, replay.feedback.places] = replay.values[rows]
    return extract(past, rows, values)
