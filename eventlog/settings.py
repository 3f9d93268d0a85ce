"""Settings of the log's server, and the names of topics there."""

from dataclasses import dataclass

from eventlog.topics import Topic


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Timeouts are in seconds. `topic_prefix` sets several logs on one server apart."""

    bootstrap_servers: str
    topic_prefix: str = ""
    delivery_timeout: float = 5.0
    request_timeout: float = 5.0


def topic_name(prefix: str, topic: Topic) -> str:
    """The name on the server. Positions hold `topic.name`, which is the same on every server."""
    return prefix + topic.name
