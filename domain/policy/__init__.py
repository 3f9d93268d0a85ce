"""Policy: how a score becomes an outcome with reasons; knows neither models nor stores."""

from domain.policy.fallback import fallback
from domain.policy.reasons import known_codes, words
from domain.policy.rollout import WHOLE, in_roll_out
from domain.policy.score import Score
from domain.policy.shadows import NO_SHADOWS, Shadow, Shadows
from domain.policy.snapshot import NO_POLICY, Champion, Model, PolicySnapshot, fold
from domain.policy.thresholds import (
    DEFAULT_THRESHOLDS,
    FALLBACK_THRESHOLDS,
    SEVERITY,
    outcome,
    severity,
    validated,
)
from domain.policy.verdict import Verdict, decide, verdict_of

__all__ = [
    "DEFAULT_THRESHOLDS",
    "FALLBACK_THRESHOLDS",
    "NO_POLICY",
    "NO_SHADOWS",
    "SEVERITY",
    "WHOLE",
    "Champion",
    "Model",
    "PolicySnapshot",
    "Score",
    "Shadow",
    "Shadows",
    "Verdict",
    "decide",
    "fallback",
    "fold",
    "in_roll_out",
    "known_codes",
    "outcome",
    "severity",
    "validated",
    "verdict_of",
    "words",
]
