"""Composition of the log: its Kafka adapter, with the installation's settings."""

from collections.abc import Iterator
from contextlib import contextmanager

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.settings import KafkaSettings
from runtime.settings import Settings


def log_of(settings: Settings) -> KafkaEventLog:
    return KafkaEventLog(KafkaSettings(settings.kafka_bootstrap_servers))


@contextmanager
def open_log(settings: Settings) -> Iterator[KafkaEventLog]:
    """The log, closed at the end."""
    log = log_of(settings)
    try:
        yield log
    finally:
        log.close()
