"""Registry of models, read from the POLICY topic. Their files are in inference/artefacts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from commands.policy.topic import Fact, facts
from domain.errors import InvalidInputError, NotFoundError
from domain.events import ModelPromoted, ModelRetired, ModelTrained
from domain.policy.shadows import NO_SHADOWS
from domain.policy.snapshot import NO_POLICY, Champion
from eventlog.port import EventLog


@dataclass(frozen=True, slots=True)
class Registered:
    """A model that was trained or promoted.

    `promotions` are offsets of the policy topic; `retired` is the reason why it is not to be
    promoted again, where it is so.
    """

    model_id: str
    model_hash: str
    feature_set: str
    trained: ModelTrained | None
    promotions: tuple[int, ...] = ()
    retired: str | None = None

    def check_not_retired(self) -> None:
        """Raises InvalidInputError."""
        if self.retired is not None:
            raise InvalidInputError("model", f"{self.model_id} was retired: {self.retired}")


class Registry:
    """The models of the log as of one moment, in the order in which they came.

    `policy` and `shadows` are those of that moment; `taken_back` are the hashes of the models that
    a rollback has ever put out of force.
    """

    def __init__(self, topic: Iterable[Fact]) -> None:
        self._models: dict[str, Registered] = {}
        self.policy, self.shadows = NO_POLICY, NO_SHADOWS
        self.taken_back: set[str] = set()
        for offset, fact in topic:
            data = fact.data
            if isinstance(data, ModelPromoted) and data.took_back:
                self._took_back(data)
            self.policy = self.policy.apply(data, offset)
            self.shadows = self.shadows.apply(data, offset)
            if isinstance(data, ModelTrained):
                self._trained(data)
            elif isinstance(data, ModelPromoted):
                self._promoted(offset, data)
            elif isinstance(data, ModelRetired) and data.model_hash in self._models:
                known = self._models[data.model_hash]
                self._models[data.model_hash] = replace(known, retired=data.reason)

    @property
    def in_force(self) -> str | None:
        """The hash of the model that is."""
        return self.policy.model.model_hash if self.policy.model else None

    def all(self) -> list[Registered]:
        return list(self._models.values())

    def find(self, named: str) -> Registered:
        """By id, or by the beginning of its hash. Raises NotFoundError, or InvalidInputError where
        several models begin so."""
        found = [
            model
            for model in self._models.values()
            if model.model_id == named or model.model_hash.startswith(named)
        ]
        if not found:
            raise NotFoundError("model", named)
        if len({model.model_hash for model in found}) > 1:
            raise InvalidInputError("model", f"{named!r} names {len(found)} models: give the hash")
        return found[0]

    def before(self, named: str | None = None) -> tuple[Registered, Champion]:
        """What a rollback goes to: the uppermost of the stack beneath the model in force that was
        not retired, or the uppermost so named. Raises NotFoundError where there is none."""
        wanted = self.find(named).model_hash if named else None
        for each in reversed(self.policy.before):
            model = self._models[each.model.model_hash]
            if wanted not in (None, model.model_hash):
                continue
            if model.retired is None and model.model_hash != self.in_force:
                return model, each
        raise NotFoundError("model in force before this one", named or "any")

    def _took_back(self, data: ModelPromoted) -> None:
        if self.in_force not in (None, data.model_hash):
            self.taken_back.add(str(self.in_force))

    def _trained(self, data: ModelTrained) -> None:
        known = self._models.get(data.model_hash) or _named(data)
        self._models[data.model_hash] = replace(known, trained=data)

    def _promoted(self, offset: int, data: ModelPromoted) -> None:
        known = self._models.get(data.model_hash) or _named(data)
        promotions = (*known.promotions, offset)
        self._models[data.model_hash] = replace(known, promotions=promotions)


def _named(data: ModelTrained | ModelPromoted) -> Registered:
    return Registered(data.model_id, data.model_hash, data.feature_set, None)


def registry_of(log: EventLog) -> Registry:
    """As of the end of the policy topic. Raises LogUnavailableError."""
    return Registry(facts(log))
