"""Owns what every test may use; the fixtures themselves lie in tests/fixtures."""

# Before Feast, whose import would make all registries of one process share their figures.
import prometheus_client  # noqa: F401
from hypothesis import Phase, settings

pytest_plugins = ["tests.fixtures.servers", "tests.fixtures.kafka", "tests.fixtures.s3"]

# Tests share a machine with servers: how long one example takes says nothing.
settings.register_profile("shared machine", deadline=None)
# Whether a test fails is all that mutation testing asks.
settings.register_profile("mutants", deadline=None, phases=[Phase.generate], database=None)
settings.load_profile("shared machine")
