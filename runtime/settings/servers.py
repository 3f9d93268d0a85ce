"""Settings of the servers that Retrace needs: Kafka, Redis, PostgreSQL, MongoDB."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from eventlog.settings import KafkaSecurity, KafkaSettings, Mechanism, Protocol
from runtime.settings.slices import Slice
from runtime.settings.urls import DATABASE_SCHEME, starting_with, with_driver

SERVER_FIELDS = ("kafka_bootstrap_servers", "redis_url", "database_url", "mongodb_url")
_SCHEMES: Mapping[str, tuple[str, ...]] = {
    "redis_url": ("redis://", "rediss://"),
    "database_url": (DATABASE_SCHEME,),
    "mongodb_url": ("mongodb://", "mongodb+srv://"),
}

_SECRET = "key of the secret retrace/settings in Secrets Manager"

AWS_SOURCES = {
    "KAFKA_BOOTSTRAP_SERVERS": "aws kafka get-bootstrap-brokers, of the output KafkaCluster",
    "KAFKA_SECURITY_PROTOCOL": "SSL",
    "RETRACE_KAFKA_REPLICATION": "3, a copy in each zone",
    "RETRACE_KAFKA_MIN_ISR": "2",
    "DATABASE_URL": f"{_SECRET} (RDS)",
    "REDIS_URL": f"{_SECRET} (ElastiCache)",
    "MONGODB_URL": f"{_SECRET} (DocumentDB)",
    "RETRACE_TOKEN_KEY": f"{_SECRET}, made once",
    "RETRACE_DIGEST_KEY": f"{_SECRET}, made once",
    "RETRACE_DEAD_LETTER_KEY": f"{_SECRET}, made once",
    "RETRACE_ARCHIVE_URL": "the output ArchiveUrl (S3)",
    "RETRACE_MODELS_URL": "the output ModelsUrl (S3)",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "a collector of yours",
}
"""Where settings come from on AWS, by variable: what deploy/aws makes; env.example says so."""


class ServerSettings(Slice):
    """URLs are without trailing slash; one that is not set is empty."""

    kafka_bootstrap_servers: str = Field(default="", alias="KAFKA_BOOTSTRAP_SERVERS")
    """host:port[,host:port]. Set: no local Kafka is started."""
    kafka_replication: int = Field(default=0, alias="RETRACE_KAFKA_REPLICATION", ge=0)
    """Copies of each partition; set: topics with fewer are refused. 0: 3, or as many as brokers."""
    kafka_min_in_sync: int = Field(default=0, alias="RETRACE_KAFKA_MIN_ISR", ge=0)
    """Copies that acknowledge a write; set: topics with fewer are refused. 0: all but one."""
    kafka_protocol: Protocol = Field(default="PLAINTEXT", alias="KAFKA_SECURITY_PROTOCOL")
    """PLAINTEXT, SSL, SASL_SSL or SASL_PLAINTEXT: how clients speak to Kafka."""
    kafka_ca_file: str = Field(default="", alias="KAFKA_SSL_CA_FILE")
    """PEM file of the authorities that vouch for Kafka; unset: those of the system."""
    kafka_certificate_file: str = Field(default="", alias="KAFKA_SSL_CERTIFICATE_FILE")
    """PEM file of the client's own certificate, where Kafka asks for one."""
    kafka_key_file: str = Field(default="", alias="KAFKA_SSL_KEY_FILE")
    """PEM file of its key."""
    kafka_mechanism: Mechanism = Field(default="SCRAM-SHA-512", alias="KAFKA_SASL_MECHANISM")
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, with SASL."""
    kafka_username: str = Field(default="", alias="KAFKA_SASL_USERNAME")
    """Who the client is, with SASL."""
    kafka_password: SecretStr = Field(default=SecretStr(""), alias="KAFKA_SASL_PASSWORD")
    """Its password."""
    redis_url: str = Field(default="", alias="REDIS_URL")
    """redis://[:password@]host:port/0. Set: no local Redis is started."""
    database_url: str = Field(default="", alias="DATABASE_URL")
    """postgresql+psycopg://user:password@host:port/database. Set: no local one."""
    mongodb_url: str = Field(default="", alias="MONGODB_URL")
    """mongodb://host:port/database. Set: no local MongoDB-wire server is started."""

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        for server in filter(None, value.split(",")):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdigit():
                raise ValueError("expected host:port[,host:port]")
        return value

    @field_validator(*_SCHEMES)
    @classmethod
    def _scheme(cls, value: str, info: ValidationInfo) -> str:
        given = with_driver(value) if info.field_name == "database_url" else value
        return starting_with(_SCHEMES[str(info.field_name)], given)

    @field_validator("kafka_ca_file", "kafka_certificate_file", "kafka_key_file")
    @classmethod
    def _there(cls, value: str) -> str:
        if value and not Path(value).is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @model_validator(mode="after")
    def _known_to_kafka(self) -> Self:
        security = self.kafka_security
        if security.with_password and not (security.username and security.password):
            raise ValueError(
                f"KAFKA_SECURITY_PROTOCOL={security.protocol} needs KAFKA_SASL_USERNAME and "
                "KAFKA_SASL_PASSWORD"
            )
        if bool(security.certificate_file) != bool(security.key_file):
            raise ValueError("KAFKA_SSL_CERTIFICATE_FILE and KAFKA_SSL_KEY_FILE are given together")
        return self

    @property
    def kafka_security(self) -> KafkaSecurity:
        return KafkaSecurity(
            self.kafka_protocol,
            self.kafka_ca_file,
            self.kafka_certificate_file,
            self.kafka_key_file,
            self.kafka_mechanism,
            self.kafka_username,
            self.kafka_password.get_secret_value(),
        )

    def kafka(self, prefix: str = "") -> KafkaSettings:
        """What a client is told; with `prefix` it is another log on the same servers."""
        return KafkaSettings(self.kafka_bootstrap_servers, prefix, security=self.kafka_security)

    def kafka_environment(self) -> dict[str, str]:
        """The variables of `kafka_security`, empty where they are not set."""
        security = self.kafka_security
        return {
            "KAFKA_SECURITY_PROTOCOL": security.protocol,
            "KAFKA_SSL_CA_FILE": security.ca_file,
            "KAFKA_SSL_CERTIFICATE_FILE": security.certificate_file,
            "KAFKA_SSL_KEY_FILE": security.key_file,
            "KAFKA_SASL_MECHANISM": security.mechanism if security.with_password else "",
            "KAFKA_SASL_USERNAME": security.username,
            "KAFKA_SASL_PASSWORD": security.password,
        }
