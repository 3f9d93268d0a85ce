"""Settings of running processes: API, delivery of alerts, archive, logs, metrics, traces."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from runtime.settings.folders import FolderSettings
from runtime.settings.urls import starting_with


class ProcessSettings(FolderSettings):
    """URLs are without trailing slash."""

    api_host: str = Field(default="127.0.0.1", alias="RETRACE_API_HOST")
    """Address the API listens on."""
    api_port: int = Field(default=8000, alias="RETRACE_API_PORT", ge=1, le=65535)
    """Port of the API."""
    api_base_url: str = Field(default="", alias="RETRACE_API_URL")
    """URL at which clients reach the API; by default made of host and port."""
    api_member_url: str = Field(default="", alias="RETRACE_API_MEMBER_URL")
    """URL at which the other API processes reach this one; by default made of host and port."""
    webhook_url: str = Field(default="", alias="RETRACE_WEBHOOK_URL")
    """Every alert is delivered to this URL by POST, beside the routes of the policy."""
    webhook_secret: SecretStr = Field(default=SecretStr(""), alias="RETRACE_SECRET_WEBHOOK")
    """Signs those posts: whsec_ and base64. RETRACE_SECRET_X is the secret X of an alert route."""
    archive: str = Field(default="", alias="RETRACE_ARCHIVE_URL")
    """Folder or s3://bucket/prefix of the log's archive; below the state folder."""
    archive_seconds: float = Field(default=60.0, alias="RETRACE_ARCHIVE_SECONDS", gt=0)
    """How long a record of a quiet log waits before it is archived."""
    keep_months: int = Field(default=0, alias="RETRACE_KEEP_MONTHS", ge=0, le=1200)
    """Whole months of transactions kept in PostgreSQL before the present one; 0: all."""
    import_ahead: int = Field(default=2_000_000, alias="RETRACE_IMPORT_AHEAD", ge=0)
    """Records by which an import may be ahead of the slowest projection; 0: as many as it likes."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", alias="RETRACE_LOG_LEVEL"
    )
    """DEBUG, INFO, WARNING or ERROR."""
    log_format: Literal["text", "json"] = Field(default="text", alias="RETRACE_LOG_FORMAT")
    """text for people, json for one object a line with the correlation id of the transaction."""
    metrics_host: str = Field(default="127.0.0.1", alias="RETRACE_METRICS_HOST")
    """Address at which a worker shows /metrics, /health and /ready; the API has them at its own."""
    metrics_port: int = Field(default=0, alias="RETRACE_METRICS_PORT", ge=0, le=65535)
    """Port for them, another for each worker of a host; 0: none. The local stack chooses them."""
    traces_url: str = Field(default="", alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """http://host:4318 of an OpenTelemetry collector; traces are sent to /v1/traces there."""
    trace_share: float = Field(default=0.01, alias="RETRACE_TRACE_SHARE", ge=0, le=1)
    """Share of transactions that are followed through all processes, where a collector is named."""

    @field_validator("webhook_url", "api_base_url", "api_member_url", "traces_url")
    @classmethod
    def _url_over_http(cls, value: str) -> str:
        return starting_with(("http://", "https://"), value)

    @property
    def archive_url(self) -> str:
        return self.archive or str(self.state_dir / "archive")

    @property
    def member_url(self) -> str:
        return self.api_member_url or f"http://{self.api_host}:{self.api_port}"

    @property
    def api_url(self) -> str:
        return self.api_base_url or f"http://{self.api_host}:{self.api_port}"
