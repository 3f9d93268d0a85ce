"""Composition of the log: its Kafka adapter, with the installation's settings."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.adapters.kafka_admin import ensure_topics
from eventlog.port import AppendTrace
from runtime.settings import Settings


@contextmanager
def open_log(
    settings: Settings, prefix: str = "", trace: AppendTrace | None = None
) -> Iterator[KafkaEventLog]:
    """The log, closed at the end; with `prefix` another one on the same servers."""
    with closing(KafkaEventLog(settings.kafka(prefix), trace)) as log:
        yield log


@contextmanager
def open_another_log(settings: Settings, prefix: str) -> Iterator[KafkaEventLog]:
    """A log beside it, its topics made where they are missing."""
    ensure_topics(settings.kafka(prefix))
    with open_log(settings, prefix) as log:
        yield log
