"""Settings of the log's server, and the names of topics there."""

from dataclasses import dataclass

from eventlog.topics import Topic

# Clocks of hosts are to be closer together than that.
CLOCK_SKEW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Timeouts are in seconds. `topic_prefix` sets several logs on one server apart.

    A record waits for `linger_ms` for others of its partition, so that they go as one.
    """

    bootstrap_servers: str
    topic_prefix: str = ""
    delivery_timeout: float = 5.0
    request_timeout: float = 5.0
    linger_ms: float = 0.0

    @property
    def settle_seconds(self) -> float:
        """So long after a record was known, all that was known before it is in the log, or its
        append has failed. What a server keeps to itself for longer comes as a straggler.
        """
        return self.delivery_timeout + CLOCK_SKEW_SECONDS


def topic_name(prefix: str, topic: Topic) -> str:
    """The name on the server. Positions hold `topic.name`, which is the same on every server."""
    return prefix + topic.name
