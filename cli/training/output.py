"""Output of training commands: progress and the new model with its measures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from cli.output import progress_shown

if TYPE_CHECKING:
    from inference.evaluation.gate.report import GateReport
    from operations.training.results import TrainingResult

_STEPS = 1000


@contextmanager
def training_progress() -> Iterator[Callable[[float, str], None]]:
    """A bar on stderr; where stderr is no terminal, one line per step."""
    with progress_shown() as (say, count):
        shown = ""

        def progress(done: float, text: str) -> None:
            nonlocal shown
            if text != shown:
                shown = text
                say(text)
            count(int(done * _STEPS), _STEPS)

        yield progress


def print_training(
    result: TrainingResult, seconds: float, as_json: bool, more: dict[str, Any] | None = None
) -> None:
    """`more` is added to the JSON object."""
    if result.refused:
        typer.echo(f"{_model_id(result)} is not put in force: {result.refused}", err=True)
    for warning in result.warnings:
        typer.echo(f"Warning: {_model_id(result)}: {warning}", err=True)
    if result.card is None:
        typer.echo(f"the model's card cannot be written: {result.card_error}", err=True)
    summary = _summary(result, seconds)
    if as_json:
        print(json.dumps(summary | (more or {})))
        return
    metrics, thresholds = summary["metrics"], summary["thresholds"]
    state = "in force" if summary["promoted"] else "stored, not in force"
    print(f"{summary['model_id']} ({state}), trained in {summary['seconds']} s on")
    print(
        f"  {summary['transactions']:,} transactions, {summary['frauds']:,} labelled fraud and"
        f" {summary['genuine']:,} genuine as known at {summary['as_known_at']}"
    )
    print(
        f"  on the latest fifth: AUC {metrics['auc']:.3f}, average precision"
        f" {metrics['average_precision']:.3f}"
    )
    print(
        f"  declines from {thresholds['decline']:.4f} (finds {metrics['recall_declined']:.0%}),"
        f" reviews from {thresholds['review']:.4f} (finds {metrics['recall_reviewed']:.0%})"
    )
    if result.gate is not None:
        _print_gate(result.gate)
    if summary["card"]:
        print(f"  card: {summary['card']}")
    if result.refused:
        print("  `retrace models promote` or `retrace train --force` puts it in force all the same")


def _print_gate(report: GateReport) -> None:
    """What refused, and else the comparison with the model in force."""
    for check in report.refused or report.checks[:1]:
        print(f"  gate, {'passed' if check.passed else 'refused'}: {check.name}: {check.says}")
    others = sum(each.passed for each in report.checks) - report.passed
    print(f"  gate: {others} other checks passed")


def exit_status(result: TrainingResult) -> int:
    from operations.training.results import NOT_IN_FORCE

    return NOT_IN_FORCE if result.refused else 0


def _model_id(result: TrainingResult) -> str:
    return result.trained.manifest.model_id


def _summary(result: TrainingResult, seconds: float) -> dict[str, Any]:
    manifest, thresholds = result.trained.manifest, result.trained.thresholds
    return {
        "model_id": _model_id(result),
        "model_hash": result.model_hash,
        "promoted": result.promoted,
        "refused": result.refused or None,
        "warnings": result.warnings,
        "as_known_at": manifest.facts["as_known_at"],
        "transactions": manifest.facts["transactions"],
        "frauds": manifest.facts["frauds"],
        "genuine": manifest.facts["genuine"],
        "metrics": result.trained.metrics,
        "thresholds": {
            "review": thresholds.review,
            "step_up": thresholds.step_up,
            "decline": thresholds.decline,
        },
        "gate": result.gate.facts() if result.gate is not None else None,
        "seconds": round(seconds, 1),
        "card": str(result.card) if result.card else None,
    }
