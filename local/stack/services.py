"""Table of the services: servers, API and workers. servers/ says how each server runs."""

import sys
from collections.abc import Awaitable, Callable

from host.state_folder import StateFolder, read_json
from local.stack.probes import http_answers
from local.stack.servers import kafka, mongodb, postgres, redis
from local.stack.service import Service, StackContext
from runtime.settings import Settings

WORKERS = ("decisions", "features", "offline", "readmodels", "evidence", "archive")


def _port(name: str) -> Callable[[StackContext], int | None]:
    return lambda context: context.ports.get(name)


SERVERS: tuple[Service, ...] = (
    Service(
        name="kafka",
        kind="server",
        replaced_by="kafka_bootstrap_servers",
        ports=("kafka", "kafka-controller"),
        needs_jars=True,
        prepare=kafka.prepare,
        command=kafka.command,
        ready=kafka.ready,
        url=kafka.url,
        port=_port("kafka"),
        start_seconds=120,
        stop_seconds=60,
    ),
    Service(
        name="redis",
        kind="server",
        replaced_by="redis_url",
        ports=("redis",),
        prepare=redis.prepare,
        command=redis.command,
        ready=redis.ready,
        url=redis.url,
        port=_port("redis"),
        start_seconds=120,
        stop_seconds=30,
    ),
    Service(
        name="postgres",
        kind="server",
        replaced_by="database_url",
        ports=("postgres",),
        prepare=postgres.prepare,
        command=postgres.command,
        account=postgres.account,
        ready=postgres.ready,
        url=postgres.url,
        port=_port("postgres"),
        # Less than the worker of the read models: what is locked is soon free again.
        niceness=5,
        # At SIGTERM it would wait for clients to disconnect.
        stop_signal=postgres.FAST_SHUTDOWN,
        start_seconds=120,
        stop_seconds=60,
    ),
    Service(
        name="mongodb",
        kind="server",
        replaced_by="mongodb_url",
        ports=("mongodb",),
        needs_jars=True,
        prepare=mongodb.prepare,
        command=mongodb.command,
        ready=mongodb.ready,
        url=mongodb.url,
        port=_port("mongodb"),
        niceness=15,
        start_seconds=120,
        stop_seconds=30,
    ),
)


async def _api_ready(context: StackContext) -> bool:
    return await http_answers(context.settings.api_host, context.settings.api_port, "/ready")


def _worker_ready(name: str) -> Callable[[StackContext], Awaitable[bool]]:
    async def ready(context: StackContext) -> bool:
        return context.folder.ready_file(name).exists()

    return ready


def _worker(name: str) -> Service:
    """A Faust worker. It creates RETRACE_READY_FILE once its partitions are assigned."""
    service = f"worker-{name}"

    async def forget_readiness(context: StackContext) -> None:
        context.folder.ready_file(service).unlink(missing_ok=True)

    return Service(
        name=service,
        kind="app",
        depends_on=tuple(server.name for server in SERVERS),
        prepare=forget_readiness,
        command=lambda _: [sys.executable, "-m", "runtime.processes.worker", name],
        ready=_worker_ready(service),
        extra_environment=lambda context: {
            "RETRACE_INSTANCE": name,
            "RETRACE_READY_FILE": str(context.folder.ready_file(service)),
            "RETRACE_METRICS_PORT": str(context.ports[service]),
        },
        ports=(service,),
        url=lambda context: f"http://{context.settings.metrics_host}:{context.ports[service]}",
        port=_port(service),
        start_seconds=120,
        stop_seconds=30,
    )


APPS: tuple[Service, ...] = (
    Service(
        name="api",
        kind="app",
        depends_on=tuple(server.name for server in SERVERS),
        command=lambda _: [sys.executable, "-m", "runtime.processes.api"],
        extra_environment=lambda _: {"RETRACE_INSTANCE": "api"},
        ready=_api_ready,
        url=lambda context: context.settings.api_url,
        port=lambda context: context.settings.api_port,
        start_seconds=120,
        stop_seconds=30,
    ),
    *map(_worker, WORKERS),
)

SERVICES: tuple[Service, ...] = SERVERS + APPS


def is_external(service: Service, settings: Settings) -> bool:
    """True if the settings give a URL to use instead of the server."""
    return bool(service.replaced_by and getattr(settings, service.replaced_by))


def without_own_urls(settings: Settings) -> Settings:
    """Settings without the URLs that this stack published itself.

    A shell keeps what `retrace env` exported, and the next `up` must start the servers again.
    """
    ports = read_json(StateFolder(settings.state_dir).ports)
    own = {
        server.replaced_by: ""
        for server in SERVERS
        if server.replaced_by
        and server.ports[0] in ports
        and f"127.0.0.1:{ports[server.ports[0]]}" in getattr(settings, server.replaced_by)
    }
    return settings.model_copy(update=own)


def with_local_urls(context: StackContext) -> StackContext:
    """The context with the URLs of the local servers filled in."""
    local = {
        service.replaced_by: service.url(context)
        for service in SERVERS
        if service.replaced_by and not is_external(service, context.settings)
    }
    settings = context.settings.model_copy(update=local)
    return StackContext(settings, context.ports, context.folder, context.jars)
