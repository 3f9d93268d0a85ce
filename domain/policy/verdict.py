"""Verdict: score, path and thresholds give the outcome and reasons of a decision."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.events import Exploration, Outcome, Path, Thresholds
from domain.policy.exploration import LETS_PASS, Arm
from domain.policy.rules.ruling import Ruling
from domain.policy.score import Score
from domain.policy.snapshot import PolicySnapshot
from domain.policy.thresholds import outcome

MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """`thresholds` are those that were applied; the decision records them, and `exploration`."""

    outcome: Outcome
    reasons: list[str]
    thresholds: Thresholds
    exploration: Exploration | None = None


def decide(
    score: Score,
    policy: PolicySnapshot,
    path: Path,
    flags: Sequence[str] = (),
    rules: Ruling | None = None,
    transaction_id: str = "",
) -> Verdict:
    """By the policy's thresholds for that path, and by its exploration."""
    made = verdict_of(score, policy.thresholds_for(path), path, flags, rules)
    if policy.exploration is None:
        return made
    return explored(made, policy.exploration, transaction_id, path, flags, rules)


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


def explored(
    verdict: Verdict,
    arm: Arm,
    transaction_id: str,
    path: Path,
    flags: Sequence[str] = (),
    rules: Ruling | None = None,
) -> Verdict:
    """What exploration makes of a verdict; the reasons of a decline that passes stay behind its
    own. A pure function of what a decision and the policy at its version record."""
    found = None
    if verdict.outcome == "decline":
        found = arm.of(transaction_id, path, flags, rules)
    if found is None:
        return verdict
    if not found.explored:
        return replace(verdict, exploration=found)
    reasons = [LETS_PASS, *verdict.reasons][:MOST_REASONS]
    return Verdict("approve", reasons, verdict.thresholds, found)
