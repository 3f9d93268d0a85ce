"""The tracer of a process, where the settings name a collector."""

from collections.abc import Iterator
from contextlib import contextmanager

from host.checkout import version
from host.clock import now_us
from runtime.settings import Settings
from runtime.telemetry.tracer import Tracer


@contextmanager
def open_tracer(settings: Settings, process: str, instance: str | None) -> Iterator[Tracer | None]:
    """None where no collector is named, or nothing is to be followed."""
    if not settings.traces_url or not settings.trace_share:
        yield None
        return
    from runtime.telemetry.otlp import exporting

    resource = {
        "service.name": f"retrace-{process}",
        "service.version": version(),
        "service.instance.id": instance or process,
    }
    with exporting(settings.traces_url, resource) as exporter:
        yield Tracer(process, exporter, settings.trace_share, now_us)
