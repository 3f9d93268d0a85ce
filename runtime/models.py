"""Owns what can be done to the models of an installation; showing it is the command line's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from domain.errors import InvalidInputError
from domain.events import ModelPromoted, ModelRetired
from domain.features import CATALOGUE
from eventlog.port import EventLog
from inference.adapters.litert import load
from inference.artefacts import ArtefactStore
from inference.manifest import Manifest
from inference.promotion import fact_of, promote, register, retire
from inference.registry import Registered, Registry, registry_of
from runtime.clock import now_us
from runtime.logs import log_of
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Models:
    """The registry as it was when opened, and the folder that holds the artefacts."""

    log: EventLog
    store: ArtefactStore
    registry: Registry

    def manifest(self, model: Registered) -> Manifest:
        """Raises NotFoundError where the artefact is not here, IntegrityError where altered."""
        return self.store.open(model.model_hash).manifest

    def register(self, named: str) -> Registered:
        """Says in the log that a model of this folder exists, once; puts nothing in force.

        `named` is its id or the beginning of its hash. Raises NotFoundError where it is not here.
        """
        model_hash = self.store.find(named)
        fact = fact_of(self.store.open(model_hash).manifest, model_hash)
        register(self.log, fact, now_us())
        return registry_of(self.log).find(model_hash)

    def promote(self, named: str) -> Registered:
        """Puts a model in force, once it has been loaded and checked as scorers do.

        Every scorer takes it at the position in the log where this is written. Raises
        NotFoundError, IntegrityError, SettingsError (it takes other features), InvalidInputError
        (it was retired).
        """
        return self._in_force(self.registry.find(named))

    def rollback(self) -> Registered:
        """Puts the model in force that was before the present one."""
        return self._in_force(self.registry.before())

    def retire(self, named: str, reason: str) -> Registered:
        """Raises InvalidInputError for the model in force."""
        model = self.registry.find(named)
        if model.model_hash == self.registry.in_force:
            raise InvalidInputError("model", f"{named} is in force: promote another one first")
        if model.retired is None:
            fact = ModelRetired(model_id=model.model_id, model_hash=model.model_hash, reason=reason)
            retire(self.log, fact, now_us())
        return model

    def _in_force(self, model: Registered) -> Registered:
        if model.retired is not None:
            raise InvalidInputError("model", f"{model.model_id} was retired: {model.retired}")
        load(self.store, model.model_hash).inputs.check(CATALOGUE)
        fact = ModelPromoted(
            model_id=model.model_id, model_hash=model.model_hash, feature_set=model.feature_set
        )
        promote(self.log, fact, self.manifest(model).thresholds, now_us())
        return model


@contextmanager
def open_models(settings: Settings) -> Iterator[Models]:
    """Raises LogUnavailableError."""
    log = log_of(settings)
    try:
        yield Models(log, ArtefactStore(settings.models_dir), registry_of(log))
    finally:
        log.close()
