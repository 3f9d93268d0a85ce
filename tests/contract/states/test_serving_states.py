"""Online states as deciding processes read them, under the ServingStates contract."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from urllib.parse import urlsplit

import pytest
import redis

from domain.errors import UnavailableError
from domain.features import CATALOGUE, FeatureSet
from host.ports import free_ports
from projections.online.adapters.feast_repo import repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.adapters.redis_generations import RedisGenerations
from projections.online.adapters.redis_link import RedisLink
from projections.online.adapters.serving_states import RedisServingStates
from projections.online.adapters.state_keys import address
from projections.online.port import ServingStates, StateStore
from runtime.settings import Settings
from tests.builders.workers.history import save, state_of
from tests.contract.states.contract import CARD, Key, adopted
from tests.contract.states.serving import ServingStatesContract, pushed
from tests.fakes.states import Beside, InMemoryServing, InMemoryStates


class TestInMemoryServing(ServingStatesContract):
    @pytest.fixture
    def states(self) -> InMemoryStates:
        return InMemoryStates()

    @pytest.fixture
    def open_store(self, states: InMemoryStates) -> Callable[[], StateStore]:
        return lambda: states

    @pytest.fixture
    def lose(self, states: InMemoryStates) -> Callable[[Key], None]:
        return states.stored.__delitem__

    @pytest.fixture
    def open_serving(self, states: InMemoryStates) -> Callable[[], ServingStates]:
        beside, words, names = Beside(), dict[str, int](), count()
        return lambda: InMemoryServing(states, beside, words=words, name=str(next(names)))


class TestRedisServingStates(ServingStatesContract):
    @pytest.fixture
    def open_store(self, online_settings: Settings) -> Callable[[], StateStore]:
        config = repo_config(online_settings)
        return lambda: FeastStateStore(config)

    @pytest.fixture
    async def open_serving(
        self, online_settings: Settings
    ) -> AsyncIterator[Callable[[], ServingStates]]:
        names = count()
        with ExitStack() as stack:

            def opened() -> ServingStates:
                link = stack.enter_context(closing(RedisLink(online_settings.redis_url, 5.0)))
                return RedisServingStates(repo_config(online_settings), link, str(next(names)))

            yield opened

    @pytest.fixture
    def lose(self, online_settings: Settings) -> Iterator[Callable[[Key], None]]:
        with redis.Redis.from_url(online_settings.redis_url) as client:
            yield lambda key: client.delete(address(*key) + b"retrace.g1")

    async def test_another_generation_is_read_from_its_swap_on(
        self,
        online_settings: Settings,
        open_store: Callable[[], StateStore],
        open_serving: Callable[[], ServingStates],
    ) -> None:
        states, serving = open_store(), open_serving()
        assert isinstance(states, FeastStateStore)
        states.adopt()
        save(states, state_of(range(3)))
        assert (await serving.read([CARD])).states[0].version == {0: 2}
        generations = RedisGenerations(repo_config(online_settings))
        second = generations.begin(FeatureSet(CATALOGUE.features[:40]), "fewer")
        generations.swap(1, second.number)
        read = await serving.read([CARD])
        assert (read.features.hash, read.states[0].version) == (second.hash, {})
        await serving.push([CARD], pushed(0, 7), room=True)
        assert list((await serving.read([CARD])).recents[0].rows) == [pushed(0, 7)]
        generations.swap(second.number, 1)
        assert (await serving.read([CARD])).states[0].version == {0: 2}

    async def test_a_lost_generation_is_no_empty_one(
        self, online_settings: Settings, open_store: Callable[[], StateStore],
        open_serving: Callable[[], ServingStates],
    ) -> None:  # fmt: skip
        adopted(open_store)
        serving = open_serving()
        await serving.read([CARD])
        with redis.Redis.from_url(online_settings.redis_url) as client:
            client.delete("retrace:markers:retrace.g1")
        with pytest.raises(UnavailableError, match="removed, or lost"):
            await serving.read([CARD])


async def test_callers_share_one_connection_and_get_each_their_own_replies(
    online_settings: Settings,
) -> None:
    with closing(RedisLink(online_settings.redis_url, 5.0)) as link:
        names = [f"key-{number}" for number in range(200)]
        await asyncio.gather(*(link.run([("SET", name, name)]) for name in names))
        found = await asyncio.gather(*(link.run([("GET", name), ("TTL", name)]) for name in names))
        assert [value for value, _ in found] == [name.encode() for name in names]
        # One who gives up takes nothing from the others.
        given_up = asyncio.ensure_future(link.run([("GET", names[0])]))
        await asyncio.sleep(0)
        given_up.cancel()
        assert (await link.run([("GET", names[1])])) == [names[1].encode()]


async def test_a_refused_command_and_a_server_that_is_away_are_said(
    online_settings: Settings,
) -> None:
    with closing(RedisLink(online_settings.redis_url, 5.0)) as link:
        with pytest.raises(UnavailableError, match="unknown command"):
            await link.run([("NOCOMMAND",)])
        assert await link.run([("PING",)]) == [b"PONG"]
    (port,) = free_ports(1)
    nowhere = RedisLink(f"redis://127.0.0.1:{port}/0", 5.0)
    with pytest.raises(UnavailableError, match="redis"):
        await nowhere.run([("PING",)])


async def test_a_server_that_falls_silent_or_cuts_the_line_is_met_anew(
    online_settings: Settings,
) -> None:
    at = urlsplit(online_settings.redis_url)
    silent, cut = asyncio.Event(), asyncio.Event()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(at.hostname, at.port)
        while data := await reader.read(1000):
            if cut.is_set():
                break
            if not silent.is_set():
                up_writer.write(data)
                writer.write(await up_reader.read(1000))
        for each in (up_writer, writer):
            each.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with closing(RedisLink(f"redis://127.0.0.1:{port}/0", 0.2)) as link:
        assert await link.run([("PING",)]) == [b"PONG"]
        silent.set()
        with pytest.raises(UnavailableError, match=r"within 0\.2 s"):
            await link.run([("PING",)])
        silent.clear()
        assert await link.run([("ECHO", "a")]) == [b"a"]
        cut.set()
        with pytest.raises(UnavailableError, match="redis"):
            await link.run([("PING",)])
        cut.clear()
        assert await link.run([("ECHO", "b")]) == [b"b"]
    server.close()
