"""Positions of agents, in memory."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from eventlog.admission.sqlite_memory import SqliteMemory


@pytest.fixture
def positions() -> Iterator[SqliteMemory]:
    with closing(SqliteMemory(None)) as memory:
        yield memory
