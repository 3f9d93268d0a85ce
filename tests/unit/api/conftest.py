"""The API over an in-memory log, without a server."""

from collections.abc import AsyncIterator

import pytest

from eventlog.in_memory import InMemoryEventLog
from tests.builders.api_bench import Api, running


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running(InMemoryEventLog()) as api:
        yield api
