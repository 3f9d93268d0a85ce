"""Settings of what processes show of themselves: metrics of workers, traces."""

from typing import Literal

from pydantic import Field, field_validator

from runtime.settings.slices import Slice
from runtime.settings.urls import starting_with


class TelemetrySettings(Slice):
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

    @field_validator("traces_url")
    @classmethod
    def _traces_over_http(cls, value: str) -> str:
        return starting_with(("http://", "https://"), value)
