"""Settings of the servers that Retrace needs: Kafka, Redis, PostgreSQL, MongoDB."""

from collections.abc import Mapping

from pydantic import Field, ValidationInfo, field_validator

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
