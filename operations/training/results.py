"""Result of a training: the stored model and its card."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inference.artefacts.store import ArtefactStore
from inference.training.train import TrainedModel

WriteCard = Callable[[str, TrainedModel, str], Path]
"""Writes the card of the model of that hash, given what it was trained on in words, and returns its
folder. Raises OSError."""


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """`card` is the folder of the model's card, None where it could not be written: `card_error`
    says why."""

    trained: TrainedModel
    model_hash: str
    promoted: bool
    card: Path | None
    card_error: str = ""


@dataclass(frozen=True, slots=True)
class ModelOutput:
    models: ArtefactStore
    write_card: WriteCard

    def store(self, trained: TrainedModel, source: str, promoted: bool = False) -> TrainingResult:
        """Stores the model and writes its card, without which it serves just as well."""
        model_hash = self.models.put(trained.files)
        try:
            card = self.write_card(model_hash, trained, source)
        except OSError as error:
            return TrainingResult(trained, model_hash, promoted, None, str(error))
        return TrainingResult(trained, model_hash, promoted, card)
