"""Feature sets that were ever activated, as the POLICY topic names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from commands.policy.topic import facts
from domain.errors import IntegrityError
from domain.events import FeaturesActivated
from domain.features import FeatureSet
from eventlog.port import EventLog


@dataclass(frozen=True, slots=True)
class ActivatedFeatures:
    """`last` is the newest set; sets that this version cannot compute are left out of both."""

    by_hash: Mapping[str, FeatureSet] = field(default_factory=dict)
    last: FeatureSet | None = None

    def apply(self, data: Any) -> ActivatedFeatures:
        """After one more fact; only an activation changes anything."""
        if not isinstance(data, FeaturesActivated):
            return self
        try:
            found = FeatureSet.from_json(data.declarations)
        except IntegrityError:
            return self
        return ActivatedFeatures({**self.by_hash, data.feature_set: found}, found)


def activated_features(log: EventLog) -> FeatureSet | None:
    """The last activated set that this version can compute, None where there is none."""
    found = ActivatedFeatures()
    for _, fact in facts(log):
        found = found.apply(fact.data)
    return found.last
