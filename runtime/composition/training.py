"""Opening what a training needs: the log, the read models, and the store of models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from domain.features import FeatureSet
from eventlog.archive.history import History
from operations.training.results import ModelOutput
from operations.training.train_from_log import TrainingPorts
from projections.readmodels.queries.served_values import ServedValues, served_values
from runtime.composition.history import open_history
from runtime.composition.log import open_log
from runtime.composition.models import artefacts_of
from runtime.composition.read_models import open_engine
from runtime.settings import Settings

if TYPE_CHECKING:
    from inference.training.train import TrainedModel


@contextmanager
def open_training(settings: Settings) -> Iterator[TrainingPorts]:
    """Connects to a server when it is first used, not before."""

    def served(features: FeatureSet, maturities: Sequence[int], as_known_at: int) -> ServedValues:
        with open_engine(settings, statement_seconds=0) as engine:  # without a bound
            return served_values(engine, features, maturities, as_known_at)

    @contextmanager
    def history() -> Iterator[History]:
        with open_history(settings) as (_, whole):
            yield whole

    with open_log(settings) as log:
        output, costs = model_output(settings), settings.measures.costs
        yield TrainingPorts(log, history, served, output, costs, settings.gate_limits)


def model_output(settings: Settings) -> ModelOutput:
    """The models below the state folder, and their cards."""

    def write_card(model_hash: str, trained: TrainedModel, source: str) -> Path:
        from operations.models.cards import write

        return write(models, model_hash, trained, source, settings.measures)

    models = artefacts_of(settings)
    return ModelOutput(models, write_card)
