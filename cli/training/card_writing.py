"""Owns telling of a card that cannot be written; what is in it is inference.evaluation.card's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from inference.training.train import TrainedModel
    from runtime.settings import Settings


def write_card(
    settings: Settings, model_hash: str, trained: TrainedModel, source: str
) -> str | None:
    """Its folder; None where it cannot be written, for the model serves without."""
    from operations.models.cards import write

    try:
        return str(write(settings, model_hash, trained, source))
    except OSError as error:
        typer.echo(f"the model's card cannot be written: {error}", err=True)
        return None
