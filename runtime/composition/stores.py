"""Composition of the stores that the API reads beside PostgreSQL: evidence and online features."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from commands.ports import ServedFeatures
from projections.evidence.adapters.mongo import MongoEvidence, build_client
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.redis_link import RedisLink
from projections.online.adapters.serving_states import RedisServingStates
from projections.online.reader import OnlineFeatureReader
from projections.ports import Ends
from projections.settings import MongoSettings
from runtime.settings import Settings

# A decision has no time to wait: past this, it is made without history, and flagged.
_REDIS_SECONDS = 0.1


@contextmanager
def open_evidence(settings: Settings) -> Iterator[MongoEvidence]:
    with closing(build_client(MongoSettings(settings.mongodb_url))) as client:
        yield MongoEvidence(client)


@contextmanager
def open_feature_reader(
    settings: Settings, instance: str, ends: Ends, project: str | None = None
) -> Iterator[OnlineFeatureReader[ServedFeatures]]:
    """`ends` are those of TRANSACTIONS. Importing Feast takes seconds."""
    with closing(RedisLink(settings.redis_url, _REDIS_SECONDS)) as link:
        config = repo_config(settings, socket_timeout=_REDIS_SECONDS, project=project)
        states = RedisServingStates(config, link, settings.member(instance))
        yield OnlineFeatureReader(states, ends, ServedFeatures)
