"""Owns what every test may use; the fixtures themselves lie in tests/fixtures."""

pytest_plugins = ["tests.fixtures.servers", "tests.fixtures.kafka"]
