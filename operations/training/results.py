"""Result of a training: the stored model and its card."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inference.artefacts.manifest import NO_HISTORY
from inference.artefacts.store import ArtefactStore
from inference.evaluation.gate.report import Check, GateReport
from inference.training.train import TrainedModel

NOT_IN_FORCE = 3
"""Exit status of a training whose model the gate did not put in force."""

WriteCard = Callable[[str, TrainedModel, str], Path]
"""Writes the card of the model of that hash, given what it was trained on in words, and returns its
folder. Raises OSError."""


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """`card` is the folder of the model's card, None where it could not be written: `card_error`
    says why. `gate` is None where no promotion was asked for; `doubts` are then those of the gate's
    checks of what is too good to be true that fail."""

    trained: TrainedModel
    model_hash: str
    card: Path | None
    card_error: str = ""
    promoted: bool = False
    gate: GateReport | None = None
    doubts: tuple[Check, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """What is to be known before its figures."""
        blind = [NO_HISTORY] if self.trained.manifest.knows_no_history else []
        return [*blind, *(each.says for each in self.doubts)]

    @property
    def refused(self) -> str:
        """Why it is not in force; empty where it is, or was not to be."""
        return self.gate.reason if self.gate is not None and not self.promoted else ""


@dataclass(frozen=True, slots=True)
class ModelOutput:
    models: ArtefactStore
    write_card: WriteCard

    def store(self, trained: TrainedModel, source: str) -> TrainingResult:
        """Stores the model and writes its card, without which it serves just as well."""
        model_hash = self.models.put(trained.files)
        try:
            card = self.write_card(model_hash, trained, source)
        except OSError as error:
            return TrainingResult(trained, model_hash, None, str(error))
        return TrainingResult(trained, model_hash, card)
