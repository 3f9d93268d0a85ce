"""Owns which features a system begins with: those that its log says, or those that are declared."""

from __future__ import annotations

from collections.abc import Callable

from commands.policy.feature_sets import ActivatedFeatures
from commands.policy.topic import facts
from domain.features import CATALOGUE, FeatureSet
from eventlog.port import EventLog
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.redis_generations import RedisGenerations
from runtime.settings import Settings


def ensure_generation(settings: Settings, log: EventLog, say: Callable[[str], None]) -> None:
    """Makes a generation live where none is; harmless when repeated.

    After the online store was lost it is of the features that were last activated, as long as this
    version can compute them: the log decides, not what happens to be declared. Raises
    UnavailableError.
    """
    made = RedisGenerations(repo_config(settings)).adopt(activated(log) or CATALOGUE)
    if made.hash != CATALOGUE.hash:
        say(
            f"features: generation {made.number} serves {made.hash}, {CATALOGUE.hash} is declared; "
            "`retrace features rebuild` builds it"
        )


def activated(log: EventLog) -> FeatureSet | None:
    """The last set of the POLICY topic that this version can compute, None where there is none."""
    found = ActivatedFeatures()
    for _, fact in facts(log):
        found = found.apply(fact.data)
    return found.last
