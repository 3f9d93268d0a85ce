"""Connection to Kafka: what every client of ours is told, whatever it is for."""

from typing import Any

from eventlog.settings import KafkaSettings


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """Settings of librdkafka that all clients share."""
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "socket.nagle.disable": True,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "log_level": 0,
    }
