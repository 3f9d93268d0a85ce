"""Pytest settings and fixtures for every test; the fixtures of servers are in tests/fixtures."""

# Before Feast, whose import would make all registries of one process share their figures.
import prometheus_client  # noqa: F401
import pytest
from hypothesis import Phase, settings

pytest_plugins = [f"tests.fixtures.{name}" for name in ("databases", "kafka", "s3", "servers")]

# Tests share a machine with servers: how long one example takes says nothing.
settings.register_profile("shared machine", deadline=None)
# Whether a test fails is all that mutation testing asks.
settings.register_profile("mutants", deadline=None, phases=[Phase.generate], database=None)
settings.load_profile("shared machine")


@pytest.fixture(scope="session", autouse=True)
def anyio_backend() -> str:
    """The event loop of every `async def` test and fixture: asyncio's own, new for each test."""
    return "asyncio"
