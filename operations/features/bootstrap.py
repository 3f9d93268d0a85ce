"""Owns which features a system begins with: those that its log says, or those that are declared."""

from __future__ import annotations

from collections.abc import Callable

from domain.errors import IntegrityError, UndecodableError
from domain.events import FeaturesActivated
from domain.features import CATALOGUE, FeatureSet
from eventlog.codec import decode
from eventlog.port import EventLog
from eventlog.topics import POLICY
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
    """The feature set that the policy topic names last, None where this version knows none."""
    found: FeatureSet | None = None
    for recorded in log.read(POLICY):
        try:
            data = decode(recorded.value).data
            if isinstance(data, FeaturesActivated):
                found = FeatureSet.from_json(data.declarations)
        except (UndecodableError, IntegrityError):
            continue
    return found
