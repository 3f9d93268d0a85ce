"""Connection to Kafka: what every client of ours is told, whatever it is for."""

from functools import partial
from typing import Any

from confluent_kafka import KafkaError

from eventlog.adapters.kafka_errors import note_refusal
from eventlog.settings import KafkaSecurity, KafkaSettings


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Settings of librdkafka that all clients share."""
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "socket.nagle.disable": True,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "log_level": 0,
        "error_cb": partial(_noted, settings.bootstrap_servers),
        **_secured(settings.security),
    }


def _secured(security: KafkaSecurity) -> dict[str, Any]:
    given: dict[str, Any] = {"security.protocol": security.protocol}
    if security.encrypted:
        given |= {
            "ssl.ca.location": security.ca_file,
            "ssl.certificate.location": security.certificate_file,
            "ssl.key.location": security.key_file,
        }
    if security.with_password:
        given |= {
            "sasl.mechanism": security.mechanism,
            "sasl.username": security.username,
            "sasl.password": security.password,
        }
    return {name: value for name, value in given.items() if value}


def _noted(servers: str, error: KafkaError) -> None:
    refused = error.code() in (KafkaError._SSL, KafkaError._AUTHENTICATION)
    if refused or "security.protocol" in error.str():
        note_refusal(servers, error.str())
