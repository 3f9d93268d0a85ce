"""Binding of the online states in Redis to their log: a hash with the ids of its topics."""

from typing import Any

from feast import RepoConfig
from redis.exceptions import RedisError

from eventlog.binding.bound import TopicIds
from projections.online.adapters.feast_store import VersionedRedisOnlineStore
from projections.online.adapters.state_layout import away


class BoundRedis:
    """Implements eventlog.binding.bound.BoundStore."""

    place = "what Redis holds of the online states (REDIS_URL)"
    remedy = "empty that database"

    def __init__(self, config: RepoConfig) -> None:
        self._key = f"{config.project}:log"
        self._client: Any = VersionedRedisOnlineStore()._get_client(config.online_store)

    def bound(self, ids: TopicIds) -> TopicIds:
        try:
            with self._client.pipeline() as together:
                for topic, each in ids.items():
                    together.hsetnx(self._key, topic, each)
                together.hgetall(self._key)
                held = together.execute()[-1]
        except RedisError as error:
            raise away(error) from error
        return {topic.decode(): each.decode() for topic, each in held.items()}
