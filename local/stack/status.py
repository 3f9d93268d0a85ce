"""Status of a stack, read from run/stack.json."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from host.processes import ProcessId
from host.state_folder import StateFolder, read_json, supervisor_of
from local.stack.services import SERVICES, is_external
from runtime.settings import Settings

State = Literal["running", "stopped", "degraded"]
_JSON_NAMES = {
    "kafka_bootstrap_servers": "kafka",
    "redis_url": "redis_url",
    "database_url": "database_url",
    "mongodb_url": "mongodb_url",
}


@dataclass(frozen=True)
class ServiceStatus:
    """States: running, external, starting, waiting, crashing, stopped."""

    name: str
    kind: str
    state: str
    url: str | None = None
    pid: int | None = None
    port: int | None = None
    restarts: int = 0
    detail: str = ""
    log: Path | None = None


@dataclass(frozen=True)
class StackStatus:
    """`published` maps settings fields to values; empty where nothing runs."""

    supervisor: ProcessId | None
    services: tuple[ServiceStatus, ...]
    wanted: frozenset[str]
    published: dict[str, Any]

    @property
    def state(self) -> State:
        if self.supervisor is None:
            return "stopped"
        states = {each.state for each in self.services if each.name in self.wanted}
        return "running" if states <= {"running", "external"} else "degraded"

    def named(self, name: str) -> ServiceStatus:
        return next(each for each in self.services if each.name == name)

    def to_json(self, settings: Settings) -> dict[str, Any]:
        urls = {
            name: self.published.get(field) or getattr(settings, field) or None
            for field, name in _JSON_NAMES.items()
        }
        runs_api = self.named("api").state != "stopped"
        return {
            "state": self.state,
            "servers": {each.name: _service_json(each) for each in self.services},
            "api_url": self.named("api").url if runs_api else None,
            **urls,
        }


def _service_json(each: ServiceStatus) -> dict[str, Any]:
    return {
        "state": each.state,
        "url": each.url,
        "pid": each.pid,
        "port": each.port,
        "restarts": each.restarts,
        "log": str(each.log) if each.log else None,
        "detail": each.detail,
    }


def read_status(settings: Settings) -> StackStatus:
    folder = StateFolder(settings.state_dir)
    record = read_json(folder.record)
    supervisor = supervisor_of(record)
    if supervisor is None:
        record = {}
    asked = read_json(folder.wanted).get("services", ())
    wanted = frozenset(asked if supervisor else ())
    known = record.get("services", {})
    published = record.get("published", {})
    services = []
    for service in SERVICES:
        if service.name in known:
            services.append(_from_record(service.name, known[service.name]))
            continue
        external = (
            service.name in record.get("external", ())
            if supervisor
            else is_external(service, settings)
        )
        # A running stack has the URLs it was started with; otherwise the settings count.
        urls = published if supervisor else settings.model_dump()
        log = folder.log(service.name)
        services.append(
            ServiceStatus(
                service.name,
                service.kind,
                "external" if external else "waiting" if service.name in wanted else "stopped",
                url=urls.get(service.replaced_by or "") if external else None,
                log=log if log.exists() else None,
            )
        )
    return StackStatus(supervisor, tuple(services), wanted, dict(published))


def _from_record(name: str, found: dict[str, Any]) -> ServiceStatus:
    return ServiceStatus(
        name,
        found["kind"],
        found["state"],
        found["url"],
        found["pid"],
        found["port"],
        found["restarts"],
        found["detail"],
        Path(found["log"]),
    )


def recorded_processes(settings: Settings) -> list[tuple[str, ProcessId]]:
    """(service, process) as last written, in the order of services.py, alive or not."""
    record = read_json(StateFolder(settings.state_dir).record)
    found = record.get("services", {})
    known = ((name, ProcessId.from_json(each.get("process"))) for name, each in found.items())
    return [(name, process) for name, process in known if process]
