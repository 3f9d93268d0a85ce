"""The API over an in-memory log, called in this process: no port is opened."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.deps import ApiDeps
from api.live import DecisionHub
from api.metrics import Metrics
from api.serving.forwarding import Forwarding
from api.serving.gate import Gate
from commands import Context
from commands.intake.tokens import Tokeniser
from commands.policy.lists.entries import ListedEntries
from commands.policy.rules import KnownRuleSets
from domain.cases import FourEyes
from domain.cleaning.list_keys import list_keys
from eventlog.in_memory import InMemoryEventLog
from eventlog.ownership.ownership import Ownership
from projections.readmodels.queries.read_models import ReadModels
from projections.readmodels.storage.connecting import build_engine
from projections.settings import PostgresSettings
from tests.builders.decisions.explained import explained_by
from tests.fakes.deciding import deciding_process
from tests.fakes.members import InMemoryGroup

# Nobody listens on port 1.
NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/none"


class RawPayloads:
    """The evidence store as a dict; `trouble` is raised instead of an answer."""

    def __init__(self) -> None:
        self.payloads: dict[str, str] = {}
        self.trouble: Exception | None = None

    def raw(self, transaction_id: str) -> str | None:
        if self.trouble:
            raise self.trouble
        return self.payloads.get(transaction_id)


async def answers() -> None:
    """The probe of a server that is well."""


@dataclass
class Api:
    """`parked` holds the labels that came before their transaction."""

    app: FastAPI
    context: Context
    client: httpx.AsyncClient
    evidence: RawPayloads
    hub: DecisionHub
    ownership: Ownership
    parked: list[bytes] = field(default_factory=list)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params or None)

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self.client.post(path, json=body)


def payload(transaction_id: str | int = "12345", **more: Any) -> dict[str, Any]:
    return {
        "transaction_id": transaction_id,
        "amount": 100.0,
        "timestamp": "2023-10-01T12:34:56Z",
        **more,
    }


@asynccontextmanager
async def running(
    log: InMemoryEventLog,
    *,
    read_models: ReadModels | None = None,
    probes: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
    group: InMemoryGroup | None = None,
    url: str = "http://retrace",
    secrets: Mapping[str, str] | None = None,
    four_eyes: FourEyes = FourEyes(),  # noqa: B008 - it is frozen
    **process: Any,
) -> AsyncIterator[Api]:
    """As runtime composes it, with a PostgreSQL that is away unless `read_models` are given.

    Without a `group` it owns everything; others reach it at `url`, if anybody listens there.
    """
    evidence, parked = RawPayloads(), list[bytes]()

    async def park(body: bytes, reason: str) -> None:
        assert reason
        parked.append(body)

    with deciding_process(log, **process) as context:
        ownership = Ownership(log, context.ledger, (group or InMemoryGroup()).member(url), url)
        hub = DecisionHub(asyncio.get_running_loop(), ownership.serves)

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[ApiDeps]:
            stop_listening = context.ledger.listen(hub.publish)
            ownership.start()
            await ownership.settled()
            forwarding = Forwarding(ownership)
            lists = ListedEntries(log)
            yield ApiDeps(
                context=context,
                read_models=read_models or ReadModels(build_engine(PostgresSettings(NOWHERE))),
                evidence=evidence,
                hub=hub,
                metrics=Metrics(context.ledger, forwarding.ownership),
                probes=probes or {"kafka": answers},
                keep_early_label=park,
                forwarding=forwarding,
                gate=Gate(32, 1_000, 0.5),
                rule_sets=KnownRuleSets(log).read,
                secret_of=lambda name: (secrets or {}).get(name, ""),
                four_eyes=four_eyes,
                lists=lists,
                clean_entry=partial(list_keys, tokenise=Tokeniser(b"t" * 32)),
                explain=explained_by(log),
            )
            stop_listening()
            lists.close()
            hub.close()
            await ownership.close()
            await forwarding.close()

        app = create_app(lifespan)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=url) as client,
        ):
            yield Api(app, context, client, evidence, hub, ownership, parked)
