"""GET /decisions/stream: server-sent events, one for each decision that counts."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.deps import ApiDeps, Deps
from api.live import event_id, merged
from api.openapi import problems
from api.schemas.decisions import decision_out
from api.serving.forwarding import FORWARDED
from api.serving.other_streams import other_decisions
from domain.events import Outcome

router = APIRouter(tags=["decisions"])


@router.get("/decisions/stream", response_class=EventSourceResponse, **problems(422))
async def stream(
    request: Request,
    deps: Deps,
    outcome: Annotated[list[Outcome] | None, Query(description="Only these outcomes.")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Goes on after `Last-Event-ID` where that is among the last thousand decisions of a process;
    those of other processes may come twice then, under their ids."""
    streams = [_ours(deps, outcome, last_event_id)]
    if FORWARDED not in request.headers:
        query = "?" + urlencode([("outcome", each) for each in outcome or ()])
        streams.append(_theirs(deps, request.url.path + query, last_event_id))
    async for event in merged(streams):
        yield event


async def _ours(
    deps: ApiDeps, outcome: Sequence[Outcome] | None, last_event_id: str | None
) -> AsyncIterator[ServerSentEvent]:
    async for live in deps.hub.follow(last_event_id):
        if live is None:
            yield ServerSentEvent(comment="alive")
            continue
        if outcome is None or live[1].data.outcome in outcome:
            yield ServerSentEvent(event="decision", id=event_id(live), data=decision_out(live[1]))


async def _theirs(
    deps: ApiDeps, path: str, last_event_id: str | None
) -> AsyncIterator[ServerSentEvent]:
    async for each in other_decisions(deps.forwarding, path, last_event_id):
        yield ServerSentEvent(event="decision", id=each.event_id, raw_data=each.data)
