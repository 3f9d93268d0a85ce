"""The log of these tests."""

from collections.abc import Iterator

import pytest

from eventlog.in_memory import InMemoryEventLog


@pytest.fixture
def log() -> Iterator[InMemoryEventLog]:
    log = InMemoryEventLog()
    yield log
    log.close()
