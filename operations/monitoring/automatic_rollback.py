"""Automatic rollback of a model that labels show to be bad: once, and never back and forth."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from domain.errors import LogUnavailableError, RetraceError
from domain.events import HealthMeasure, ModelPromoted
from inference.monitoring.report import ModelHealth
from operations.models.lifecycle import Models

BY_LABELS: tuple[HealthMeasure, ...] = ("precision", "recall", "calibration")
"""Drift of features or scores alone shows no model to be bad."""


def bad(health: ModelHealth) -> bool:
    """True where labels put it over an alert limit."""
    return any(health.levels[measure] == "alert" for measure in BY_LABELS)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about a model, in words; `act` does it, None where nothing can be."""

    said: str
    act: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class AutomaticRollback:
    """`models` opens them as of now."""

    models: Callable[[], AbstractContextManager[Models]]

    def said(self, health: ModelHealth) -> str:
        """What `act` would do now, for people; appends nothing. Raises LogUnavailableError."""
        with self.models() as models:
            return _plan(models, health).said

    def act(self, health: ModelHealth) -> str | None:
        """What was done about it, None where nothing was.

        The policy is read again right before: another process may have acted since. Should both
        append the rollback, its id and its effect are the same. Raises LogUnavailableError; the
        next measurement goes on.
        """
        with self.models() as models:
            plan = _plan(models, health)
            if plan.act is None:
                return None
            plan.act()
            return plan.said


def _plan(models: Models, health: ModelHealth) -> Plan:
    registry = models.registry
    policy, bad_one = registry.policy, health.model_hash
    if policy.roll_out is not None and policy.roll_out.model_hash == bad_one:
        return Plan("its roll-out is ended", models.end_roll_out)
    if registry.in_force != bad_one:
        return Plan("another model decides by now")
    if isinstance(policy.model, ModelPromoted) and policy.model.took_back:
        return Plan("it is not taken back: a rollback put it in force")
    if bad_one in registry.taken_back:
        return Plan("it is not taken back: it was once, and was put in force again since")
    try:
        before, _ = registry.before()
        if before.model_hash in registry.taken_back:
            return Plan(f"it is not taken back: {before.model_id}, before it, was itself")
        models.check(before)
    except LogUnavailableError:
        raise
    except RetraceError as error:
        return Plan(f"it is not taken back: {error}")
    return Plan(
        f"{before.model_id} is put back in force", lambda: models.rollback(before.model_hash)
    )
