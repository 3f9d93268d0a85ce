"""The in-memory log under the EventLog contract."""

import pytest

from eventlog.in_memory import InMemoryEventLog
from eventlog.port import EventLog
from tests.contract.eventlog.contract import EventLogContract


class TestInMemoryEventLog(EventLogContract):
    @pytest.fixture
    def log(self) -> EventLog:
        return InMemoryEventLog()
