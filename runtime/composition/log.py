"""Owns opening the log with the settings in force."""

from __future__ import annotations

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.settings import KafkaSettings
from runtime.settings import Settings


def log_of(settings: Settings) -> KafkaEventLog:
    return KafkaEventLog(KafkaSettings(settings.kafka_bootstrap_servers))
