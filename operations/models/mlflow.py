"""Models as runs of an MLflow server: export of a model, and import once it is verified."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from commands.models.registry import Registered
from domain.errors import IntegrityError, NotFoundError, RetraceError
from host.clock import now_us
from inference.artefacts.store import FILES, Artefact, ArtefactStore, artefact_of, content_hash
from inference.artefacts.tracking import Run, TrackingServer
from inference.serving.probe import check_graph
from operations.models.lifecycle import Models

FOLDER = "retrace"
"""Where in a run's artefacts the files of a model lie."""

Say = Callable[[str], None]

_NO_PARAMS = ("metrics", "reference")


def export_run(
    store: ArtefactStore, server: TrackingServer, experiment: str, model: str, say: Say
) -> tuple[Artefact, str]:
    """Makes a run of the model; returns the model and the run's id.

    A run that could not be finished is marked as failed. Raises NotFoundError, UnavailableError,
    SettingsError (the server has no proxy for artefacts).
    """
    artefact = store.open(store.find(model))
    say(f"making a run on {server.place}")
    inside = server.experiment(experiment)
    run = server.begin(inside, artefact.manifest.model_id, _tags(artefact), _millis())
    try:
        server.log(run, _params(artefact), _metrics(artefact), _millis())
        for name, content in store.files(artefact.model_hash).items():
            say(f"sending {name}")
            server.put(run, f"{FOLDER}/{name}", content)
    except BaseException:
        with suppress(RetraceError):
            server.end(run, _millis(), "FAILED")
        raise
    server.end(run, _millis(), "FINISHED")
    return artefact, run.run_id


def import_run(models: Models, server: TrackingServer, run_id: str, say: Say) -> Registered:
    """Fetches a run's model, verifies it as scorers do, stores and registers it.

    It is not promoted. Raises NotFoundError, IntegrityError (its content has another hash than the
    run says, or its graph misses the probe batch), UnavailableError, LogUnavailableError.
    """
    say(f"fetching run {run_id} from {server.place}")
    run = server.run(run_id)
    files = {name: server.get(run, f"{FOLDER}/{name}") for name in FILES}
    say("checking its hash and its scores")
    check_graph(_verified(run, files))
    return models.register(models.store.put(files))


def _verified(run: Run, files: Mapping[str, bytes]) -> Artefact:
    found, said = content_hash(files), run.tags.get("model_hash")
    if said is None:
        raise NotFoundError("model_hash among the tags of run", run.run_id)
    if found != said:
        raise IntegrityError(
            f"run {run.run_id} says its model has hash {said[:12]}, and holds {found[:12]}: it was"
            " altered; export the model again"
        )
    return artefact_of(found, files)


def _tags(artefact: Artefact) -> dict[str, str]:
    manifest = artefact.manifest
    return {
        "model_id": manifest.model_id,
        "model_hash": artefact.model_hash,
        "feature_set": manifest.feature_set,
        "mlflow.source.name": "retrace",
    }


def _params(artefact: Artefact) -> dict[str, object]:
    manifest = artefact.manifest
    facts = {name: value for name, value in manifest.facts.items() if name not in _NO_PARAMS}
    thresholds = manifest.thresholds
    return {
        "features": len(manifest.feature_names),
        "threshold.review": thresholds.review,
        "threshold.step_up": thresholds.step_up,
        "threshold.decline": thresholds.decline,
        **_flat(facts),
    }


def _flat(nested: Mapping[str, Any], before: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{name}.")
        elif isinstance(value, str | int | float | bool):
            flat[f"{before}{name}"] = value
    return flat


def _metrics(artefact: Artefact) -> dict[str, float]:
    metrics = _flat(artefact.manifest.facts.get("metrics", {}))
    return {
        name: float(value)
        for name, value in metrics.items()
        if isinstance(value, int | float) and value == value
    }


def _millis() -> int:
    return now_us() // 1000
