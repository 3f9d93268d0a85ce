"""Verdict: score, path and thresholds give the outcome and reasons of a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.events import Outcome, Path, Thresholds
from domain.policy.rules.ruling import Ruling
from domain.policy.score import Score
from domain.policy.snapshot import PolicySnapshot
from domain.policy.thresholds import outcome

MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """`thresholds` are those that were applied; the decision records them."""

    outcome: Outcome
    reasons: list[str]
    thresholds: Thresholds


def decide(
    score: Score,
    policy: PolicySnapshot,
    path: Path,
    flags: Sequence[str] = (),
    rules: Ruling | None = None,
) -> Verdict:
    """By the policy's thresholds for that path."""
    return verdict_of(score, policy.thresholds_for(path), path, flags, rules)


def verdict_of(
    score: Score,
    thresholds: Thresholds,
    path: Path,
    flags: Sequence[str] = (),
    rules: Ruling | None = None,
) -> Verdict:
    """A pure function: the arguments that a decision records give its verdict again.

    Reasons: first why the path was not the full one, then the rules that acted, then the score's
    own codes, then flags that weaken the score; never empty, at most MOST_REASONS, each once.
    """
    reasons = [] if path == "full" else [f"path.{path}"]
    reasons += rules.reasons if rules else ()
    reasons += score.reasons
    reasons += [f"flag.{flag}" for flag in flags]
    return Verdict(
        rules.outcome(score.value, thresholds) if rules else outcome(score.value, thresholds),
        list(dict.fromkeys(reasons))[:MOST_REASONS] or ["score.unremarkable"],
        thresholds,
    )
