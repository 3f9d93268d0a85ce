"""GET /health (the process lives), /ready (it can decide) and /metrics."""

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Response

from api.deps import Deps, Probe
from domain.errors import RetraceError

router = APIRouter(tags=["operations"])

# Without the log nothing is decided; the other servers may be missing or slow.
ESSENTIAL = "kafka"


@router.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/ready", responses={503: {"description": "Kafka does not answer"}})
async def ready(response: Response, deps: Deps) -> dict[str, Any]:
    """Each server by name, `ok` or what is wrong; 503 only where nothing can be decided."""
    names = list(deps.probes)
    states = await asyncio.gather(*(_state(deps.probes[name]) for name in names))
    servers = dict(zip(names, states, strict=True))
    is_ready = servers.get(ESSENTIAL) == "ok"
    if not is_ready:
        response.status_code = 503
        response.headers["Retry-After"] = "1"
    return {"ready": is_ready, "servers": servers}


@router.get("/metrics", response_class=Response)
async def metrics(deps: Deps) -> Response:
    """Prometheus text format."""
    # Without PostgreSQL, the metrics of this process are still shown.
    with suppress(RetraceError):
        deps.metrics.skew(await asyncio.to_thread(deps.read_models.feature_skew))
        waiting = await asyncio.to_thread(deps.read_models.cases.waiting, deps.context.clock())
        deps.metrics.cases(waiting)
        deps.metrics.replay.newest = await asyncio.to_thread(deps.read_models.replay_check)
        deps.metrics.health.rows = await asyncio.to_thread(deps.read_models.model_health)
    return Response(deps.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _state(probe: Probe) -> str:
    try:
        await asyncio.wait_for(probe(), timeout=2.0)
    except TimeoutError:
        return "no answer within 2 s"
    except RetraceError as error:
        return str(error)
    return "ok"
