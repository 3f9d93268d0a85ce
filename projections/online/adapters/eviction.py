"""Check that Redis does not evict: for each state that is gone a shard is made anew."""

import asyncio
import logging
from typing import Any

from feast import RepoConfig
from redis.exceptions import RedisError, ResponseError

from domain.errors import SettingsError
from projections.online.adapters.feast_store import VersionedRedisOnlineStore
from projections.online.adapters.state_layout import away

logger = logging.getLogger(__name__)


async def refuse_eviction(config: RepoConfig) -> None:
    """Raises SettingsError where Redis may evict states, and UnavailableError.

    States never expire, so only the policies over all keys touch them.
    """
    client = VersionedRedisOnlineStore()._get_client(config.online_store)
    policy = await asyncio.to_thread(_policy, client)
    if policy is None:
        logger.warning(
            "redis does not tell its maxmemory-policy: it must be noeviction, since for each state "
            "that is evicted the log is read anew"
        )
    elif policy.startswith("allkeys"):
        raise SettingsError(
            f"redis: maxmemory-policy is {policy}, so states would vanish: set noeviction"
        )


def _policy(client: Any) -> str | None:
    try:
        found: dict[str, str] = client.config_get("maxmemory-policy")
    except ResponseError:
        # Managed servers deny it.
        return None
    except RedisError as error:
        raise away(error) from error
    return found.get("maxmemory-policy")
