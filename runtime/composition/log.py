"""Composition of the log: its Kafka adapter, with the installation's settings."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.settings import KafkaSettings
from runtime.settings import Settings


@contextmanager
def open_log(settings: Settings) -> Iterator[KafkaEventLog]:
    """The log, closed at the end."""
    with closing(KafkaEventLog(KafkaSettings(settings.kafka_bootstrap_servers))) as log:
        yield log
