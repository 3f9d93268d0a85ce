"""Settings of the log's server, and the names of topics there."""

import ssl
from dataclasses import dataclass, field
from typing import Literal

from eventlog.topics import Topic

Protocol = Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

# Clocks of hosts are to be closer together than that.
CLOCK_SKEW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """How a client knows the servers, and they know it. Files are PEM; an empty name is none.

    Without `ca_file` the authorities of the system are trusted. `certificate_file` and `key_file`
    are the client's own; `mechanism`, `username` and `password` count for SASL alone.
    """

    protocol: Protocol = "PLAINTEXT"
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def encrypted(self) -> bool:
        return self.protocol.endswith("SSL")

    @property
    def with_password(self) -> bool:
        return self.protocol.startswith("SASL")

    def context(self) -> ssl.SSLContext:
        """For clients in Python. Raises OSError for files that are no certificates."""
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if self.certificate_file:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context


OPEN = KafkaSecurity()


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Timeouts are in seconds. `topic_prefix` sets several logs on one server apart."""

    bootstrap_servers: str
    topic_prefix: str = ""
    delivery_timeout: float = 5.0
    request_timeout: float = 5.0
    security: KafkaSecurity = OPEN

    @property
    def settle_seconds(self) -> float:
        """So long after a record was known, all that was known before it is in the log, or its
        append has failed. What a server keeps to itself for longer comes as a straggler.
        """
        return self.delivery_timeout + CLOCK_SKEW_SECONDS


def topic_name(prefix: str, topic: Topic) -> str:
    """The name on the server. Positions hold `topic.name`, which is the same on every server."""
    return prefix + topic.name
