"""A Redis that evicts states is refused at the start."""

from typing import Any, cast

import pytest
from feast import RepoConfig
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError

from domain.errors import SettingsError, UnavailableError
from projections.online.adapters.eviction import refuse_eviction
from projections.online.adapters.feast_store import VersionedRedisOnlineStore


class Answers:
    """A Redis client of one answer."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer

    def config_get(self, name: str) -> dict[str, str]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {name: self.answer}


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ("noeviction", None),
        ("volatile-lru", None),
        ("allkeys-lru", SettingsError),
        (NoPermissionError("this user may not run config"), None),
        (RedisConnectionError("refused"), UnavailableError),
    ],
)
async def test_only_a_policy_that_may_evict_states_is_refused(
    answer: str | Exception, raised: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VersionedRedisOnlineStore, "_get_client", lambda *_: Answers(answer))
    config = cast(RepoConfig, cast(Any, type("Config", (), {"online_store": None})))
    if raised is None:
        await refuse_eviction(config)
    else:
        with pytest.raises(raised):
            await refuse_eviction(config)
