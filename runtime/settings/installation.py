"""Owns the settings of a running Retrace; not the slices that each package declares for itself.

A variable that is set wins; a server's URL that is not set is taken from the running local stack.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from domain.errors import SettingsError
from host import secret_keys
from host.state_folder import published
from runtime.settings.models import ModelSettings
from runtime.settings.monitoring import HealthSettings
from runtime.settings.training import TrainingSettings
from runtime.settings.urls import DATABASE_SCHEME, postgres_parts, redis_connection, with_driver

CHECKOUT = Path(__file__).resolve().parents[2]
SERVER_FIELDS = ("kafka_bootstrap_servers", "redis_url", "database_url", "mongodb_url")


class Settings(TrainingSettings, HealthSettings, ModelSettings):
    """Everything a process is told from outside. URLs are without trailing slash."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_file=CHECKOUT / ".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    state_dir: Path = Field(
        default=CHECKOUT / ".retrace",
        alias="RETRACE_STATE_DIR",
        description="Folder of the local stack's data, logs and generated keys.",
    )
    cache_dir: Path = Field(
        default=CHECKOUT / ".retrace" / "cache",
        alias="RETRACE_CACHE_DIR",
        description="Folder of downloaded jars; several local stacks may share it.",
    )
    kafka_bootstrap_servers: str = Field(
        default="",
        alias="KAFKA_BOOTSTRAP_SERVERS",
        description="host:port[,host:port]. Set: no local Kafka is started.",
    )
    redis_url: str = Field(
        default="",
        alias="REDIS_URL",
        description="redis://[:password@]host:port/0. Set: no local Redis is started.",
    )
    database_url: str = Field(
        default="",
        alias="DATABASE_URL",
        description="postgresql+psycopg://user:password@host:port/database. Set: no local one.",
    )
    mongodb_url: str = Field(
        default="",
        alias="MONGODB_URL",
        description="mongodb://host:port/database. Set: no local MongoDB-wire server is started.",
    )
    api_host: str = Field(
        default="127.0.0.1", alias="RETRACE_API_HOST", description="Address the API listens on."
    )
    api_port: int = Field(
        default=8000, alias="RETRACE_API_PORT", ge=1, le=65535, description="Port of the API."
    )
    api_base_url: str = Field(
        default="",
        alias="RETRACE_API_URL",
        description="URL at which clients reach the API; by default made of host and port.",
    )
    webhook_url: str = Field(
        default="",
        alias="RETRACE_WEBHOOK_URL",
        description="Alerts are delivered to this URL by POST; nowhere when unset.",
    )
    archive: str = Field(
        default="",
        alias="RETRACE_ARCHIVE_URL",
        description="Folder or s3://bucket/prefix of the log's archive; below the state folder.",
    )
    archive_seconds: float = Field(
        default=60.0,
        alias="RETRACE_ARCHIVE_SECONDS",
        gt=0,
        description="How long a record of a quiet log waits before it is archived.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", alias="RETRACE_LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR."
    )
    token_secret: SecretStr = Field(
        default=SecretStr(""),
        alias="RETRACE_TOKEN_KEY",
        description="Key of card tokens, 16 characters or more; made once when unset.",
    )
    digest_secret: SecretStr = Field(
        default=SecretStr(""),
        alias="RETRACE_DIGEST_KEY",
        description="Key of content digests, 16 characters or more; made once when unset.",
    )
    dead_letter_secret: SecretStr = Field(
        default=SecretStr(""),
        alias="RETRACE_DEAD_LETTER_KEY",
        description="Key that seals dead-lettered records, 16 characters or more; made once.",
    )
    default_currency: str = Field(
        default="USD",
        alias="RETRACE_DEFAULT_CURRENCY",
        pattern="^[A-Z]{3}$",
        description="ISO 4217 currency of a submission that names none.",
    )
    feature_deadline: float = Field(
        default=0.25,
        alias="RETRACE_FEATURE_DEADLINE",
        gt=0,
        description="Seconds for features and a model server; past it the fallback rules decide.",
    )
    min_free_mb: int = Field(
        default=2048,
        alias="RETRACE_MIN_FREE_MB",
        ge=0,
        description="Free disk space below which the local stack does not start.",
    )

    @field_validator("state_dir", "cache_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        for server in filter(None, value.split(",")):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdigit():
                raise ValueError("expected host:port[,host:port]")
        return value

    @field_validator("redis_url", "database_url", "mongodb_url", "webhook_url", "api_base_url")
    @classmethod
    def _scheme(cls, value: str, info: Any) -> str:
        if not value:
            return value
        if info.field_name == "database_url":
            value = with_driver(value)
        expected = _SCHEMES[info.field_name]
        if not value.startswith(expected):
            raise ValueError(f"expected a URL that starts with {' or '.join(expected)}")
        return value.rstrip("/")

    @field_validator("token_secret", "digest_secret", "dead_letter_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 16:
            raise ValueError("expected 16 characters or more")
        return value

    @property
    def archive_url(self) -> str:
        return self.archive or str(self.state_dir / "archive")

    @property
    def api_url(self) -> str:
        return self.api_base_url or f"http://{self.api_host}:{self.api_port}"

    @property
    def token_key(self) -> bytes:
        return self._key("token", self.token_secret)

    @property
    def digest_key(self) -> bytes:
        return self._key("digest", self.digest_secret)

    @property
    def dead_letter_key(self) -> bytes:
        return self._key("dead-letter", self.dead_letter_secret)

    def _key(self, name: str, given: SecretStr) -> bytes:
        text = given.get_secret_value() or secret_keys.read_or_create(self.state_dir, name)
        # Every user of a key takes 32 bytes, whatever the length of what was given.
        return hashlib.sha256(text.encode()).digest()

    def environment(self) -> dict[str, str]:
        """The variables that give another process these settings, and Feast's files theirs."""
        named = {
            "RETRACE_STATE_DIR": str(self.state_dir),
            "RETRACE_CACHE_DIR": str(self.cache_dir),
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers,
            "REDIS_URL": self.redis_url,
            "DATABASE_URL": self.database_url,
            "MONGODB_URL": self.mongodb_url,
            "RETRACE_API_HOST": self.api_host,
            "RETRACE_API_PORT": str(self.api_port),
            "RETRACE_API_URL": self.api_base_url,
            "RETRACE_WEBHOOK_URL": self.webhook_url,
            "RETRACE_LOG_LEVEL": self.log_level,
            **self.model_environment(),
            "FEAST_REGISTRY": str(self.feast_registry),
            "REDIS_CONNECTION": redis_connection(self.redis_url),
            **postgres_parts(self.database_url),
        }
        return {name: value for name, value in named.items() if value}

    @property
    def models_dir(self) -> Path:
        return self.state_dir / "models"

    @property
    def training_dir(self) -> Path:
        return self.state_dir / "training"

    @property
    def file_training_dir(self) -> Path:
        """Apart from those of the log, which `retrace train --resume` takes up."""
        return self.state_dir / "training-from-files"

    @property
    def feast_registry(self) -> Path:
        return self.state_dir / "feast" / "registry.db"


_SCHEMES: Mapping[str, tuple[str, ...]] = {
    "redis_url": ("redis://", "rediss://"),
    "database_url": (DATABASE_SCHEME,),
    "mongodb_url": ("mongodb://", "mongodb+srv://"),
    "webhook_url": ("http://", "https://"),
    "api_base_url": ("http://", "https://"),
}


def settings_from_environment(**given: Any) -> Settings:
    """The settings that are set, without a look at the local stack: URLs may be empty."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(map(_explained, error.errors()))) from None


def load_settings(**given: Any) -> Settings:
    """Settings with every server's URL. Raises SettingsError naming the first that is missing."""
    settings = settings_from_environment(**given)
    local = published(settings.state_dir)
    fill = {
        name: local[name] for name in SERVER_FIELDS if not getattr(settings, name) and name in local
    }
    if "api_port" not in settings.model_fields_set and "api_port" in local:
        fill["api_port"] = local["api_port"]
    settings = settings.model_copy(update=fill)
    for name in SERVER_FIELDS:
        if not getattr(settings, name):
            raise SettingsError(
                f"{variable_of(name)} is not set and no local stack runs: `./retrace up`"
            )
    return settings


def variable_of(field: str) -> str:
    """The environment variable that sets a field."""
    return str(Settings.model_fields[field].alias)


def env_example() -> str:
    """The text of env.example: every variable, what it means, and its default."""
    lines = [
        "# Every setting of Retrace. Copy to .env, or export. Generated by",
        "# `./retrace config example`; all of them are optional beside a local stack.",
    ]
    # Inherited ones come last.
    slices = (ModelSettings, HealthSettings, TrainingSettings)
    inherited = {name for part in slices for name in part.model_fields}
    own = sorted(Settings.model_fields, key=inherited.__contains__)
    for field in map(Settings.model_fields.__getitem__, own):
        default = field.default
        if isinstance(default, SecretStr):
            default = ""
        if isinstance(default, Path):
            default = default.relative_to(CHECKOUT)
        lines += ["", f"# {field.description}", f"#{field.alias}={default}"]
    return "\n".join(lines) + "\n"


def _explained(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    variable = variable_of(name) if name in Settings.model_fields else name
    return f"{variable}: {error['msg'].removeprefix('Value error, ')}"
