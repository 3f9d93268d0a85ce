"""Default model of a new installation, trained on simulated history."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from commands.models.lifecycle import promote_model
from commands.policy.topic import current_policy
from domain.errors import InvalidInputError, RetraceError, UnavailableError
from domain.events import ModelPromoted
from domain.features import CATALOGUE
from eventlog.port import EventLog
from host.files import write_whole
from host.source_digest import source_digest
from inference.artefacts.store import Artefact, ArtefactStore, content_hash
from inference.frame.progress import Progress

if TYPE_CHECKING:
    from inference.evaluation.measures import MeasureSettings
    from inference.training.train import TrainedModel

SEED = 1
# A change in these packages, or in the catalogue, makes another default model.
SOURCES = ("inference", "simulator")

Make = Callable[[Progress], Mapping[str, bytes]]


def ensure(
    log: EventLog,
    store: ArtefactStore,
    clock: Callable[[], int],
    progress: Callable[[str], None],
    make: Make | None = None,
) -> str:
    """The id of the model in force; the default one is promoted where this version can serve none.

    Empty where the default model was retired: rules decide until a model is promoted. Repeating it
    is harmless. `make` gives an artefact's files, by default by training on simulated history,
    which takes some 20 s, once per version and folder. Raises LogUnavailableError, and
    UnavailableError where the shared models, which may hold the one in force, are away.
    """
    promoted = current_policy(log).model
    if promoted and serves(store, promoted.model_hash):
        return promoted.model_id
    artefact = default_model(store, lambda _done, text: progress(text), make)
    manifest = artefact.manifest
    model = ModelPromoted(
        model_id=manifest.model_id, model_hash=artefact.model_hash, feature_set=manifest.feature_set
    )
    try:
        promote_model(log, model, manifest.thresholds, clock())
    except InvalidInputError as error:
        progress(f"no model is in force: {error.message}")
        return ""
    return manifest.model_id


def ensure_with_card(
    log: EventLog,
    store: ArtefactStore,
    clock: Callable[[], int],
    progress: Callable[[str], None],
    measures: MeasureSettings,
) -> str:
    """As `ensure`, and writes the card of a model that it has just trained."""
    from operations.models.cards import write

    made: list[TrainedModel] = []

    def make(of: Progress) -> Mapping[str, bytes]:
        made.append(trained_on_simulated(of))
        return made[0].files

    model_id = ensure(log, store, clock, progress, make)
    for trained in made:
        # The model serves without a card: a full disk must not stop a start.
        with suppress(OSError):
            write(store, content_hash(trained.files), trained, "simulated history", measures)
    return model_id


def serves(store: ArtefactStore, model_hash: str) -> bool:
    """True where the artefact can be opened and takes the features of this version.

    Raises UnavailableError of the shared models.
    """
    try:
        store.open(model_hash).manifest.inputs.check(CATALOGUE)
    except UnavailableError:
        raise
    except RetraceError:
        return False
    return True


def default_model(store: ArtefactStore, progress: Progress, make: Make | None = None) -> Artefact:
    """The one that this version has made in this folder before, or a new one."""
    remembered = store.folder / f"default-{_key()}.json"
    try:
        return store.open(json.loads(remembered.read_text())["model_hash"])
    except (OSError, ValueError, KeyError, RetraceError):
        model_hash = store.put((make or _files)(progress))
    write_whole(remembered, json.dumps({"model_hash": model_hash}).encode())
    return store.open(model_hash)


def _files(progress: Progress) -> Mapping[str, bytes]:
    return trained_on_simulated(progress).files


def trained_on_simulated(progress: Progress) -> TrainedModel:
    """The default model; deterministic."""
    from inference.frame.simulated import SimulatedSettings, simulated_frame
    from inference.training.train import TrainSettings, train

    frame = simulated_frame(SimulatedSettings(seed=SEED), progress)
    settings = TrainSettings(seed=SEED, more_seeds=0)
    return train(frame, settings, progress)


def _key() -> str:
    return source_digest(SOURCES, CATALOGUE.hash, str(SEED))
