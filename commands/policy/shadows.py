"""Shadows and activated feature sets, kept up to date with the POLICY topic."""

from commands.policy.feature_sets import ActivatedFeatures
from commands.policy.topic import PolicyTopic
from domain.features import CATALOGUE, FeatureSet
from domain.policy.shadows import NO_SHADOWS, Shadows
from eventlog.port import EventLog


class ShadowPolicy:
    """One thread at a time."""

    def __init__(self, log: EventLog) -> None:
        self._topic = PolicyTopic(log)
        self._at_end = False
        self._shadows = NO_SHADOWS
        self._activated = ActivatedFeatures()

    def shadows(self, patience: float) -> Shadows:
        """The first time all that the topic holds; then what came, within `patience` seconds.

        Raises LogUnavailableError.
        """
        for offset, fact in self._topic.poll(patience) if self._at_end else self._topic.read():
            self._shadows = self._shadows.apply(fact.data, offset)
            self._activated = self._activated.apply(fact.data)
        self._at_end = True
        return self._shadows

    def features(self, named: str) -> FeatureSet | None:
        """The set of that hash: the one declared here, or one that was ever activated."""
        return CATALOGUE if named == CATALOGUE.hash else self._activated.by_hash.get(named)

    def close(self) -> None:
        self._topic.close()
