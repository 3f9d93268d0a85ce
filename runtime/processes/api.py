"""API process, `python -m runtime.processes.api`: uvicorn around the application."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    suppress,
)
from typing import TypeVar, cast
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.deps import ApiDeps, Probe
from api.live import DecisionHub
from api.metrics import Metrics
from api.serving.gate import Gate
from api.serving.one_write import OneWrite
from commands import Context
from commands.labels.retry import keep_early_label
from commands.policy.keys import refuse_other_keys
from commands.policy.lists.entries import ListedEntries
from commands.policy.rules import KnownRuleSets
from domain.errors import RetraceError, UnavailableError
from eventlog.binding.bound import bind, keep_bound
from eventlog.topics import TRANSACTIONS
from host.collector import look_rarely, settle, settle_again
from runtime.composition.deciding.context import open_context
from runtime.composition.deciding.explaining import Explainer
from runtime.composition.deciding.ownership import open_sharing
from runtime.composition.intake import keys_of
from runtime.composition.log import open_log
from runtime.composition.models import list_cleaner
from runtime.composition.read_models import open_read_models
from runtime.composition.stores import open_evidence
from runtime.processes.binding import open_bound
from runtime.settings import Settings, load_settings
from runtime.settings.secrets import alert_secrets
from runtime.telemetry.logs import log_to_stderr
from runtime.telemetry.open_tracer import open_tracer

T = TypeVar("T")

logger = logging.getLogger("retrace.api")

# What a thread of the process (acknowledgements, the tail) waits for the loop's, at the most.
_SWITCH_SECONDS = 0.001
# Objects: requests wait for half a millisecond then.
_LOOKED_AT = 10_000


def application(settings: Settings, instance: str) -> FastAPI:
    """The API over real servers; they are opened when the server starts."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[ApiDeps]:
        async with AsyncExitStack() as stack:
            # Closed in reverse order.
            tracer = stack.enter_context(open_tracer(settings, "api", instance))
            log = stack.enter_context(open_log(settings, trace=tracer))
            log.connect()  # before the first decision waits for it
            bound = stack.enter_context(open_bound(settings, "api"))
            await bind(log, *bound.needed)
            _watch(stack, keep_bound(log, bound.every))
            await asyncio.to_thread(refuse_other_keys, log, keys_of(settings))
            read_models = stack.enter_context(open_read_models(settings))
            evidence = stack.enter_context(open_evidence(settings))
            context = await _opened(stack, open_context(settings, instance, log))
            _watch(stack, context.ledger.failed())
            forwarding = await stack.enter_async_context(open_sharing(settings, context))
            await stack.enter_async_context(_beside(context.features.keep_vouching()))
            gate = Gate(settings.scores_at_once, settings.scores_waiting, settings.scores_wait)
            secrets = alert_secrets()
            hub = DecisionHub(asyncio.get_running_loop(), forwarding.ownership.serves)
            stack.callback(context.ledger.listen(hub.publish))
            deps = ApiDeps(
                context=context,
                read_models=read_models,
                evidence=evidence,
                hub=hub,
                metrics=Metrics(context.ledger, forwarding.ownership, gate),
                probes=_probes(settings, context),
                keep_early_label=keep_early_label(settings.dead_letter_key, context),
                forwarding=forwarding,
                gate=gate,
                rule_sets=KnownRuleSets(log).read,
                answered=tracer.answered if tracer else None,
                secret_of=lambda name: secrets.get(name, ""),
                four_eyes=settings.four_eyes,
                lists=stack.enter_context(closing(ListedEntries(log))),
                clean_entry=list_cleaner(settings.token_key),
                explain=stack.enter_context(closing(Explainer(settings, log))).explained,
            )
            settle()
            await stack.enter_async_context(_beside(settle_again()))
            yield deps

    return create_app(lifespan)


async def _opened(stack: AsyncExitStack, opening: AbstractContextManager[T]) -> T:
    """Enters in a thread, for reading all policy blocks, and the server answers meanwhile."""
    opened = await asyncio.to_thread(opening.__enter__)
    stack.push(opening.__exit__)
    return opened


@asynccontextmanager
async def _beside(running: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Runs it meanwhile, and waits until it has ended."""
    task = asyncio.create_task(running)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def _watch(stack: AsyncExitStack, failing: Coroutine[None, None, None]) -> None:
    """Ends the process once this fails: without its tail of the log it can answer nothing, and with
    another log than its memory's nothing right. Its supervisor restarts it."""
    failure = asyncio.create_task(failing)
    failure.add_done_callback(_terminate)
    stack.callback(failure.cancel)


def _terminate(failure: asyncio.Task[None]) -> None:
    if not failure.cancelled() and (error := failure.exception()):
        logger.error("the API ends: %s", error)
        os.kill(os.getpid(), signal.SIGTERM)


def _probes(settings: Settings, context: Context) -> Mapping[str, Probe]:
    """Those behind /ready: one short question to each server."""

    async def kafka() -> None:
        await context.log.ends(TRANSACTIONS)

    return {
        "kafka": kafka,
        "redis": _reachable("redis", settings.redis_url, 6379),
        "postgresql": _reachable("postgresql", settings.database_url, 5432),
        "mongodb": _reachable("mongodb", settings.mongodb_url, 27017),
    }


def _reachable(name: str, url: str, default_port: int) -> Probe:
    """Opens a connection and closes it; asks the server nothing."""
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port or default_port

    async def probe() -> None:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            raise UnavailableError(name, f"does not answer at {host}:{port}") from error
        writer.close()

    return probe


class Server(uvicorn.Server):
    """Ends the live streams before it waits for connections to end: their clients never leave."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        deps = cast(FastAPI, self.config.app).state.deps
        if deps is not None:
            deps.hub.close()
        await super().shutdown(sockets)


def main() -> None:
    settings = load_settings()
    log_to_stderr("api", settings.log_level, settings.log_format)
    sys.setswitchinterval(_SWITCH_SECONDS)
    look_rarely(_LOOKED_AT)
    instance = os.environ.get("RETRACE_INSTANCE") or f"api-{settings.api_port}"
    config = uvicorn.Config(
        application(settings, instance),
        host=settings.api_host,
        port=settings.api_port,
        # Its lines go to ours.
        log_config=None,
        log_level=settings.log_level.lower(),
        access_log=False,
        # Nothing goes by a client's address.
        proxy_headers=False,
        loop="uvloop",
        http=OneWrite,
        timeout_graceful_shutdown=10,
    )
    with suppress(KeyboardInterrupt):
        Server(config).run()


if __name__ == "__main__":
    try:
        main()
    except RetraceError as error:
        sys.exit(f"retrace api: {error}")
