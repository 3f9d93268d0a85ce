"""Models of the log as plain facts: state, training data and quality."""

from typing import Any

from commands.models.registry import Registered
from domain.errors import UnavailableError
from domain.times import to_rfc3339
from inference.artefacts.manifest import Manifest
from operations.models.lifecycle import Models


def all_facts(models: Models) -> list[dict[str, Any]]:
    """What `retrace models list --json` prints; the oldest model first."""
    return [_facts(models, model) for model in models.registry.all()]


def facts_of(models: Models, named: str) -> dict[str, Any]:
    """What `retrace models show --json` prints. Raises NotFoundError, IntegrityError."""
    model = models.registry.find(named)
    manifest = models.manifest(model)
    return _facts(models, model) | {
        "knows_no_history": manifest.knows_no_history,
        "features": manifest.signature,
        "facts": manifest.facts,
    }


def manifests_of(models: Models, *named: str) -> list[Manifest]:
    """With what was measured at training. Raises NotFoundError, IntegrityError."""
    return [models.manifest(models.registry.find(each)) for each in named]


def _facts(models: Models, model: Registered) -> dict[str, Any]:
    trained = model.trained
    return {
        "model_id": model.model_id,
        "model_hash": model.model_hash,
        "state": _state(models, model),
        "feature_set": model.feature_set,
        "promotions": list(model.promotions),
        "as_known_at": to_rfc3339(trained.as_known_at) if trained else None,
        "transactions": trained.transactions if trained else None,
        "frauds": trained.frauds if trained else None,
        "average_precision": trained.average_precision if trained else None,
    }


def _state(models: Models, model: Registered) -> str:
    registry, states = models.registry, []
    if model.model_hash == registry.in_force:
        states.append("in force")
    out = registry.policy.roll_out
    if out is not None and out.model_hash == model.model_hash:
        states.append(f"rolled out {out.share / 100:g} %")
    if registry.shadows.active(model.model_hash) is not None:
        states.append("shadow")
    if states:
        return ", ".join(states)
    if model.retired is not None:
        return "retired"
    try:
        return "stored" if models.store.holds(model.model_hash) else "artefact missing"
    except UnavailableError:
        return "shared models away"
