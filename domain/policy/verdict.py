"""Owns the last step of a decision: score, path and thresholds in, outcome and reasons out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.events import Outcome, Path, Thresholds
from domain.policy.score import Score
from domain.policy.snapshot import PolicySnapshot
from domain.policy.thresholds import outcome

MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """`thresholds` are those that judged, to be recorded with the decision."""

    outcome: Outcome
    reasons: list[str]
    thresholds: Thresholds


def decide(score: Score, policy: PolicySnapshot, path: Path, flags: Sequence[str] = ()) -> Verdict:
    """By the thresholds in force for that path."""
    return judged(score, policy.thresholds_for(path), path, flags)


def judged(score: Score, thresholds: Thresholds, path: Path, flags: Sequence[str] = ()) -> Verdict:
    """A pure function of its arguments: a record's own give the recorded verdict again.

    Reasons: what took the decision off the full path first, then the score's own codes, then
    flags that weaken the score; never empty, at most MOST_REASONS, each once.
    """
    reasons = [] if path == "full" else [f"path.{path}"]
    reasons += score.reasons
    reasons += [f"flag.{flag}" for flag in flags]
    return Verdict(
        outcome(score.value, thresholds),
        list(dict.fromkeys(reasons))[:MOST_REASONS] or ["score.unremarkable"],
        thresholds,
    )
