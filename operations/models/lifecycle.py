"""Lifecycle of models: register, promote, roll back, roll out, shadow and retire.

Artefacts are found, loaded and checked here; what the log allows is checked by the commands.
"""

import asyncio
from dataclasses import dataclass

from commands.models.lifecycle import (
    end_shadow,
    promote_model,
    register_model,
    retire_model,
    roll_out_model,
    shadow_model,
)
from commands.models.registry import Registered, Registry, registry_of
from commands.ports import LoadModel
from domain.errors import LogUnavailableError, NotFoundError
from domain.events import (
    ModelPromoted,
    ModelRetired,
    ModelRolledOut,
    ModelShadowed,
    ShadowEnded,
    Thresholds,
)
from domain.features import CATALOGUE
from eventlog.port import EventLog
from eventlog.topics import TRANSACTIONS
from host.clock import now_us
from inference.artefacts.manifest import Manifest, fact_of
from inference.artefacts.store import ArtefactStore


@dataclass(frozen=True, slots=True)
class Models:
    """The registry as of its opening, and the artefacts of its models."""

    log: EventLog
    store: ArtefactStore
    registry: Registry
    load: LoadModel

    def manifest(self, model: Registered) -> Manifest:
        """Raises NotFoundError where the artefact is not here, IntegrityError where altered."""
        return self.store.open(model.model_hash).manifest

    def register(self, named: str) -> Registered:
        """Registers a model of this folder in the log, once; does not promote it.

        `named` is its id or the beginning of its hash. Raises NotFoundError where it is not here.
        """
        model_hash = self.store.find(named)
        fact = fact_of(self.store.open(model_hash).manifest, model_hash)
        self.store.share(model_hash)
        register_model(self.log, fact, now_us())
        return registry_of(self.log).find(model_hash)

    def promote(self, named: str) -> Registered:
        """Puts a model in force after it was loaded and checked as scorers do.

        Every scorer uses it from the position of this fact in the log on. Raises
        NotFoundError, IntegrityError, SettingsError (it takes other features), InvalidInputError
        (it was retired).
        """
        model = self.registry.find(named)
        return self._in_force(model, self._checked(model).thresholds, took_back=False)

    def check(self, model: Registered) -> None:
        """Raises as `promote` where it cannot be put in force."""
        self._checked(model)

    def rollback(self, to: str | None = None) -> Registered:
        """Puts the model before the one in force back, with the thresholds that it had.

        A second rollback goes one further back; one to a named model may be repeated. Raises
        NotFoundError where no such model was in force before; LogUnavailableError, whether the log
        took it or not, with how to repeat it.
        """
        if to and self.registry.find(to).model_hash == self.registry.in_force:
            return self.registry.find(to)
        model, before = self.registry.before(to)
        self._checked(model)
        try:
            return self._in_force(model, before.thresholds, took_back=True)
        except LogUnavailableError as error:
            what = str(error).removeprefix(f"{error.server}: ")
            again = f"`retrace models rollback --to {model.model_id}` goes on, and no further"
            raise LogUnavailableError(f"{what}; once it is back, {again}") from error

    def roll_out(self, named: str, share: int) -> Registered:
        """Lets a model decide `share` basis points of traffic; it replaces any other roll-out.

        Raises as `promote`, and InvalidInputError for the model in force.
        """
        model = self.registry.find(named)
        return self._rolled_out(model, share, self._checked(model).thresholds)

    def end_roll_out(self) -> Registered:
        """Gives all traffic to the model in force. Raises NotFoundError without a roll-out."""
        out = self.registry.policy.roll_out
        if out is None:
            raise NotFoundError("model rolled out", "now")
        return self._rolled_out(self.registry.find(out.model_hash), 0, out.thresholds)

    def shadow(self, named: str, since: int | None) -> Registered:
        """Lets a model score as a shadow from now on, and history from event time `since` on.

        Raises as `promote`.
        """
        model = self.registry.find(named)
        fact = ModelShadowed(
            model_id=model.model_id,
            model_hash=model.model_hash,
            feature_set=model.feature_set,
            thresholds=self._checked(model).thresholds,
            seam=self._ends(),
            since=since,
        )
        shadow_model(self.log, fact, now_us())
        return model

    def end_shadow(self, named: str) -> Registered:
        """Ends a shadow; its scores stay. Raises NotFoundError where the model is none."""
        model = self.registry.find(named)
        fact = ShadowEnded(model_id=model.model_id, model_hash=model.model_hash, until=self._ends())
        end_shadow(self.log, fact, now_us())
        return model

    def retire(self, named: str, reason: str) -> Registered:
        """Ends its roll-out and its shadow too. Raises InvalidInputError for the model in force."""
        model = self.registry.find(named)
        shadow = self.registry.shadows.active(model.model_hash)
        if shadow is not None and model.model_hash != self.registry.in_force:
            self.end_shadow(model.model_hash)
        fact = ModelRetired(model_id=model.model_id, model_hash=model.model_hash, reason=reason)
        retire_model(self.log, fact, now_us())
        return model

    def _ends(self) -> list[int]:
        return list(asyncio.run(self.log.ends(TRANSACTIONS)))

    def _checked(self, model: Registered) -> Manifest:
        model.check_not_retired()
        self.load(model.model_hash).inputs.check(CATALOGUE)
        # Other machines will load it from there.
        self.store.share(model.model_hash)
        return self.manifest(model)

    def _in_force(
        self, model: Registered, thresholds: Thresholds, *, took_back: bool
    ) -> Registered:
        fact = ModelPromoted(
            model_id=model.model_id,
            model_hash=model.model_hash,
            feature_set=model.feature_set,
            took_back=took_back,
        )
        # A rollback is from what was looked at: of two that do it at once, one counts.
        after = self.registry.policy.version if took_back else None
        promote_model(self.log, fact, thresholds, now_us(), after)
        return model

    def _rolled_out(self, model: Registered, share: int, thresholds: Thresholds) -> Registered:
        fact = ModelRolledOut(
            model_id=model.model_id,
            model_hash=model.model_hash,
            feature_set=model.feature_set,
            share=share,
            thresholds=thresholds,
        )
        roll_out_model(self.log, fact, now_us())
        return model
