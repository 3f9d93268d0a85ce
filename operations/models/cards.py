"""Card of a model that was just trained, with the code and the data that it came from."""

from pathlib import Path

from eventlog.topics import TRANSACTIONS
from host.checkout import commit, version
from inference.artefacts.store import ArtefactStore
from inference.evaluation.card.folder import write_card
from inference.evaluation.card.origin import Origin
from inference.evaluation.measures import MeasureSettings
from inference.training.train import TrainedModel


def write(
    store: ArtefactStore,
    model_hash: str,
    trained: TrainedModel,
    source: str,
    measures: MeasureSettings,
) -> Path:
    """The card's folder; `source` names the training data in words. Raises OSError."""
    positions = trained.validated.frame.positions
    origin = Origin(
        source=source,
        version=version(),
        commit=commit(),
        topic=TRANSACTIONS.name if positions else None,
        positions=positions,
    )
    return write_card(store.folder, store.open(model_hash), trained.validated, origin, measures)
