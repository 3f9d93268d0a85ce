"""Owns which scorer a model is loaded into, as the settings say; scores nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Protocol

from commands.ports import Scorer
from inference.artefacts.store import Artefact
from runtime.composition.models import artefacts_of
from runtime.settings import Settings


class ModelScorer(Scorer, Protocol):
    """What decides and what backtests: the same kernel, one row at a time."""

    def value(self, values: Sequence[float | None]) -> float:
        """The score alone, with the bits that `score` gives."""
        ...


Make = Callable[[Artefact], ModelScorer]
Load = Callable[[str], ModelScorer]


@contextmanager
def open_scorers(settings: Settings) -> Iterator[Load]:
    """Gives what loads a model by its hash, until the end.

    Loading raises NotFoundError, IntegrityError, or UnavailableError of a model server: a model
    that is not verified never serves.
    """
    models = artefacts_of(settings)
    with _makers(settings) as make:
        yield lambda model_hash: make(models.open(model_hash))


@contextmanager
def _makers(settings: Settings) -> Iterator[Make]:
    if settings.scorer == "litert":
        from inference.serving.adapters.litert import LiteRtScorer

        yield LiteRtScorer
    elif settings.scorer == "tensorflow":
        from inference.serving.adapters.tensorflow import TensorFlowScorer

        yield TensorFlowScorer
    else:
        from inference.serving.adapters.tf_serving.scorer import TfServingScorer
        from inference.serving.adapters.tf_serving.transports import open_server

        server = open_server(settings.scorer, settings.tf_serving_url, settings.tf_serving_model)
        with closing(server):
            yield lambda artefact: TfServingScorer(artefact, server, settings.scorer_timeout)
