"""Gate of a training: its model and the one in force on its later rows, and a refusal's alert."""

import asyncio
from typing import Any

import numpy as np

from commands.models.lifecycle import SOURCE
from commands.models.raise_alert import raise_model_alert
from commands.models.registry import Registry, registry_of
from domain.errors import RetraceError, SettingsError
from domain.events import ModelAlertRaised, ModelTrained, Thresholds
from domain.features import CATALOGUE
from domain.model_alerts import model_alert_id
from domain.times import from_rfc3339
from eventlog.port import EventLog
from inference.artefacts.manifest import Manifest
from inference.artefacts.store import GRAPH, ArtefactStore
from inference.evaluation.costs import Costs
from inference.evaluation.gate.comparison import Scored
from inference.evaluation.gate.gate import Candidate, InForce, judged
from inference.evaluation.gate.report import GateLimits, GateReport
from inference.frame.frame import Frame
from inference.serving.graph import scores_of
from inference.serving.probe import check_graph
from inference.training.thresholds import Budget, thresholds_for
from inference.training.train import TrainedModel
from operations.training.runs import TrainingRun, later_rows


def gate_report(
    log: EventLog,
    models: ArtefactStore,
    run: TrainingRun,
    trained: TrainedModel,
    costs: Costs,
    limits: GateLimits,
) -> GateReport:
    """Of a model just trained by the run. Raises LogUnavailableError."""
    later = later_rows(run)
    names = trained.manifest.feature_names
    exported = scores_of(trained.files[GRAPH], vectors_of(later, names))
    new = Candidate(later, Scored(trained.validated.scores, trained.thresholds), exported)
    in_force = in_force_on(later, registry_of(log), models, run.asked.settings.budget)
    return judged(new, in_force, costs, limits)


def raise_refusal(log: EventLog, model: ModelTrained, report: GateReport, now: int) -> None:
    """One alert per model and day. Raises LogUnavailableError."""
    first = report.refused[0]
    alert = ModelAlertRaised(
        alert_id=model_alert_id(model.model_hash, "gate", now),
        model_id=model.model_id,
        model_hash=model.model_hash,
        measure="gate",
        value=first.worse,
        limit=first.allowed,
        summary=f"not put in force: {report.reason}",
        features=list(first.features),
        since=report.since,
        until=report.until,
    )
    asyncio.run(raise_model_alert(log, alert, SOURCE, now))


def in_force_on(
    later: Frame, registry: Registry, models: ArtefactStore, budget: Budget
) -> InForce | None:
    """The model in force on these rows, None where there is none.

    Its thresholds are those in force, raised where they would stop more of this traffic than the
    budget of the new model: one that stops more than people can look at is not better for it.
    """
    model, thresholds = registry.policy.model, registry.policy.thresholds
    if model is None:
        return None
    try:
        artefact = models.open(model.model_hash)
    except RetraceError as error:
        return InForce(model.model_id, None, f"{model.model_id} cannot be opened: {error}")
    manifest = artefact.manifest
    registered = registry.find(model.model_hash)
    # A default model of a version before that fact was put in force without a training's fact.
    simulated = manifest.facts.get("simulated", registered.trained is None)
    learnt_until = None if simulated else _learnt_until(manifest)
    recorded = None if simulated else manifest.facts.get("metrics")
    known = None if simulated else from_rfc3339(manifest.facts["as_known_at"])
    try:
        manifest.inputs.check(CATALOGUE)
        check_graph(artefact)
        scores = scores_of(artefact.graph, vectors_of(later, manifest.feature_names))
    except RetraceError as error:
        return InForce(model.model_id, None, str(error), learnt_until, recorded, known)
    held = _raised(thresholds, thresholds_for(scores, later.stands_for, budget))
    return InForce(model.model_id, Scored(scores, held), "", learnt_until, recorded, known)


def vectors_of(later: Frame, names: list[str]) -> Any:
    """[n, names] of these features. Raises SettingsError naming one that the rows lack."""
    places = {name: place for place, name in enumerate(later.names)}
    made = np.empty((len(later), len(names)), dtype=np.float32)
    for number, name in enumerate(names):
        if name in places:
            made[:, number] = later.vectors[:, places[name]]
        elif name in later.constants:
            made[:, number] = later.constants[name]
        else:
            raise SettingsError(f"feature {name!r} is not among those of this training")
    return made


def _learnt_until(manifest: Manifest) -> int:
    facts = manifest.facts
    return from_rfc3339(facts.get("learnt_until", facts["as_known_at"]))


def _raised(one: Thresholds, other: Thresholds) -> Thresholds:
    """The greater of each."""
    return Thresholds(
        review=max(one.review, other.review),
        step_up=max(one.step_up, other.step_up),
        decline=max(one.decline, other.decline),
    )
