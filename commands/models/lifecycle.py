"""Commands about models: register, promote, roll out, shadow, end a shadow, retire.

Each appends one fact to the POLICY topic; what it does is folded in domain/policy.
"""

from dataclasses import replace

from commands.models.registry import registry_of
from commands.policy.topic import append_fact, current_policy
from domain.errors import InvalidInputError, NotFoundError
from domain.events import (
    ModelPromoted,
    ModelRetired,
    ModelRolledOut,
    ModelShadowed,
    ModelTrained,
    ShadowEnded,
    Thresholds,
)
from domain.policy.rollout import WHOLE
from domain.policy.thresholds import validated
from eventlog.port import EventLog

SOURCE = "retrace/inference"

_ModelFact = (
    ModelTrained | ModelPromoted | ModelRolledOut | ModelShadowed | ShadowEnded | ModelRetired
)


def promote_model(
    log: EventLog,
    model: ModelPromoted,
    thresholds: Thresholds,
    known_time: int,
    after: int | None = None,
) -> int:
    """Puts the model in force with its thresholds; returns the policy version before.

    `after` is the version that was looked at, unless that is now: who promotes it after the same
    one states the same fact, however late.
    One fact holds both, so that no decision mixes the model of one with the thresholds of another.
    Returns once it is acknowledged. Raises LogUnavailableError, after which a repetition is
    harmless; InvalidInputError for thresholds out of order and for a retired model.
    """
    registry = registry_of(log)
    for known in registry.all():
        if known.model_hash == model.model_hash:
            known.check_not_retired()
    fact = replace(model, thresholds=validated(thresholds))
    before = registry.policy.version if after is None else after
    return _append_after(log, fact, before, known_time)


def roll_out_model(log: EventLog, model: ModelRolledOut, known_time: int) -> int:
    """Gives the model a share of traffic, or none; otherwise as `promote_model`.

    Raises InvalidInputError for a share of the model in force, too.
    """
    if not 0 <= model.share <= WHOLE:
        raise InvalidInputError("share", f"expected 0 to {WHOLE} basis points, not {model.share}")
    validated(model.thresholds)
    registry = registry_of(log)
    if model.share and model.model_hash == registry.in_force:
        raise InvalidInputError("model", f"{model.model_id} is in force: it has all traffic")
    return _append_after(log, model, registry.policy.version, known_time)


def shadow_model(log: EventLog, model: ModelShadowed, known_time: int) -> int:
    """Lets the model score every decision without deciding; otherwise as `promote_model`."""
    validated(model.thresholds)
    return _append_after(log, model, current_policy(log).version, known_time)


def end_shadow(log: EventLog, ended: ShadowEnded, known_time: int) -> int:
    """Raises NotFoundError where the model is no shadow; otherwise as `promote_model`."""
    registry = registry_of(log)
    if registry.shadows.active(ended.model_hash) is None:
        raise NotFoundError("shadow of model", ended.model_id)
    return _append_after(log, ended, registry.policy.version, known_time)


def register_model(log: EventLog, model: ModelTrained, known_time: int) -> None:
    """Records that the model exists, once. Raises LogUnavailableError."""
    known = registry_of(log).all()
    if not any(each.trained and each.model_hash == model.model_hash for each in known):
        _append(log, model, f"{model.NAME}/{model.model_hash}", known_time)


def retire_model(log: EventLog, model: ModelRetired, known_time: int) -> None:
    """Records that the model is not to be promoted again, once.

    Raises LogUnavailableError, and InvalidInputError for the model in force.
    """
    registry = registry_of(log)
    if model.model_hash == registry.in_force:
        raise InvalidInputError("model", f"{model.model_id} is in force: promote another one first")
    known = (each for each in registry.all() if each.model_hash == model.model_hash)
    if not any(each.retired is not None for each in known):
        _append(log, model, f"{model.NAME}/{model.model_hash}", known_time)


def _append_after(
    log: EventLog,
    fact: ModelPromoted | ModelRolledOut | ModelShadowed | ShadowEnded,
    before: int,
    known_time: int,
) -> int:
    # A model may come back after another one, so the place in the log belongs to the id.
    _append(log, fact, f"{fact.NAME}/{fact.model_hash}/{before + 1}", known_time)
    return before


def _append(log: EventLog, fact: _ModelFact, event_id: str, known_time: int) -> None:
    append_fact(log, fact, event_id, SOURCE, fact.model_id, known_time)
