"""The Kafka log under the EventLog contract, on a real server."""

from collections.abc import Iterator

import pytest

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.port import EventLog
from eventlog.settings import KafkaSettings
from tests.contract.eventlog.contract import EventLogContract


class TestKafkaEventLog(EventLogContract):
    @pytest.fixture
    def log(self, kafka: KafkaSettings) -> Iterator[EventLog]:
        log = KafkaEventLog(kafka)
        yield log
        log.close()
