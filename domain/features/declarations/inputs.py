"""Inputs of a model: the features that it takes, by name and definition."""

from collections.abc import Sequence

from domain.errors import SettingsError
from domain.features.declarations.feature_set import FeatureSet


class Inputs:
    """The features of a model, in its own order. Thread-safe.

    It takes any set that declares all of them, and just as they were when it was trained: what else
    the set holds, and in which order, is no matter. Without `definitions` it takes its own set
    alone.
    """

    def __init__(
        self, model_id: str, feature_set: str, names: Sequence[str], definitions: Sequence[str]
    ) -> None:
        self.model_id, self.feature_set = model_id, feature_set
        self.names, self.definitions = tuple(names), tuple(definitions)
        self._places: dict[str, list[int]] = {}

    def check(self, features: FeatureSet) -> None:
        """Raises SettingsError naming a feature that is not there, or has changed its meaning."""
        self._of(features)

    def of(self, features: FeatureSet, values: Sequence[float | None]) -> list[float | None]:
        """The model's own vector out of one of `features`. Raises SettingsError."""
        return [values[place] for place in self.places(features)]

    def places(self, features: FeatureSet) -> list[int]:
        """Where in a vector of `features` the model's own values stand. Raises SettingsError."""
        places = self._places.get(features.hash)
        if places is None:
            places = self._places[features.hash] = self._of(features)
        return places

    def _of(self, features: FeatureSet) -> list[int]:
        if not self.definitions:
            if features.hash != self.feature_set:
                raise self._refused(f"takes feature set {self.feature_set[:12]} alone")
            return list(range(len(self.names)))
        declared = {f.name: (place, f.definition) for place, f in enumerate(features.features)}
        places = []
        for name, definition in zip(self.names, self.definitions, strict=True):
            place, found = declared.get(name, (-1, ""))
            if place < 0:
                raise self._refused(f"asks for {name!r}, which is not declared")
            if found != definition:
                raise self._refused(f"was trained on another definition of {name!r}")
            places.append(place)
        return places

    def _refused(self, what: str) -> SettingsError:
        return SettingsError(
            f"model {self.model_id} {what}: train a model for these features with `./retrace train`"
        )
