"""Training from the log: a frame of ideal or served values, a run, and the model it ends with."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from commands.models.lifecycle import promote_model, register_model
from domain.events import ModelPromoted
from eventlog.archive.history import History
from eventlog.port import EventLog
from host.clock import now_us
from inference.artefacts.manifest import fact_of
from inference.evaluation.costs import Costs
from inference.evaluation.gate.plausibility import doubts_about
from inference.evaluation.gate.report import GateLimits
from inference.frame.frame import Frame
from inference.frame.progress import Progress
from inference.training.train import TrainedModel
from operations.progress import steps_of
from operations.training.gate import gate_report, raise_refusal
from operations.training.local_workers import trained_by_workers
from operations.training.log_frame import ideal_frame
from operations.training.results import ModelOutput, TrainingResult
from operations.training.runs import Asked, TrainingRun, begun, remove, trained_by
from operations.training.served_frame import ServedQuery, served_frame

_SOURCES = {
    "ideal": "the log, replayed: the features of each payment's own moment",
    "served": "the features that decisions were served",
}


@dataclass(frozen=True, slots=True)
class TrainingPorts:
    """`history` is the log as it is now, open while the frame is read and no longer: fitting takes
    hours. `costs` and `limits` are the gate's."""

    log: EventLog
    history: Callable[[], AbstractContextManager[History]]
    served: ServedQuery
    output: ModelOutput
    costs: Costs = field(default_factory=Costs)
    limits: GateLimits = field(default_factory=GateLimits)


def begin(
    ports: TrainingPorts, root: Path, asked: Asked, progress: Progress
) -> AbstractContextManager[TrainingRun]:
    """The run below the folder `root`; raises as `runs.begun`, and UnavailableError."""
    return begun(root, asked, _frame(ports, asked, progress))


def train_run(ports: TrainingPorts, run: TrainingRun, progress: Progress) -> TrainingResult:
    """Fits, then `finish`; the run's folder is removed."""
    fit = trained_by if run.asked.workers == 1 else trained_by_workers
    result = finish(ports, run, fit(run, progress), progress)
    remove(run)
    return result


def finish(
    ports: TrainingPorts, run: TrainingRun, trained: TrainedModel, progress: Progress
) -> TrainingResult:
    """Stores the model and registers it in the log. Where the run asks for its promotion, it is put
    in force if the gate lets it pass, or in any case if that was forced; else an alert is raised.

    Raises LogUnavailableError; doing it again is harmless.
    """
    asked = run.asked
    result = ports.output.store(trained, _SOURCES[asked.features])
    exists = fact_of(trained.manifest, result.model_hash)
    register_model(ports.log, exists, now_us())
    if not asked.promote:
        return replace(result, doubts=doubts_about(trained.validated, ports.limits))
    progress(1.0, "measuring it and the model in force on the same payments")
    report = gate_report(ports.log, ports.output.models, run, trained, ports.costs, ports.limits)
    result = replace(result, gate=report)
    if not (report.passed or asked.force):
        raise_refusal(ports.log, exists, report, now_us())
        return result
    named = ModelPromoted(
        model_id=exists.model_id, model_hash=result.model_hash, feature_set=exists.feature_set
    )
    promote_model(ports.log, named, trained.thresholds, now_us())
    return replace(result, promoted=True)


def _frame(ports: TrainingPorts, asked: Asked, progress: Progress) -> Frame:
    if asked.features == "served":
        progress(0.0, "reading what decisions were served")
        return served_frame(ports.served, asked.as_known_at)
    with ports.history() as history:
        return ideal_frame(history, asked.as_known_at, *steps_of(progress))
