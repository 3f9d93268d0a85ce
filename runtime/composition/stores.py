"""Composition of the stores that the API reads beside PostgreSQL: evidence and online features."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from commands.ports import ServedFeatures
from projections.evidence.adapters.mongo import MongoEvidence, build_client
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.reader import OnlineFeatureReader
from projections.settings import MongoSettings
from runtime.settings import Settings

# A decision has no time to wait: past this, it is made without history, and flagged.
_REDIS_SECONDS = 0.05


@contextmanager
def open_evidence(settings: Settings) -> Iterator[MongoEvidence]:
    with closing(build_client(MongoSettings(settings.mongodb_url))) as client:
        yield MongoEvidence(client)


def feature_reader(settings: Settings) -> OnlineFeatureReader[ServedFeatures]:
    """Importing Feast takes seconds."""
    states = FeastStateStore(repo_config(settings, socket_timeout=_REDIS_SECONDS))
    return OnlineFeatureReader(states, ServedFeatures)
