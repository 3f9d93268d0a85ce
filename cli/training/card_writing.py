"""Card of a trained model, written beside it; a card that cannot be written is only reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from inference.training.train import TrainedModel
    from runtime.settings import Settings


def write_card(
    settings: Settings, model_hash: str, trained: TrainedModel, source: str
) -> str | None:
    """The card's folder; None where it cannot be written: the model serves without one."""
    from operations.models.cards import write
    from runtime.composition.models import artefacts_of

    try:
        store = artefacts_of(settings)
        return str(write(store, model_hash, trained, source, settings.measures))
    except OSError as error:
        typer.echo(f"the model's card cannot be written: {error}", err=True)
        return None
