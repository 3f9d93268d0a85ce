"""GET /decisions/stream: server-sent events, one for each decision that counts."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.deps import Deps
from api.live import event_id
from api.openapi import problems
from api.schemas.decisions import decision_out
from domain.events import Outcome

router = APIRouter(tags=["decisions"])


@router.get("/decisions/stream", response_class=EventSourceResponse, **problems(422))
async def stream(
    deps: Deps,
    outcome: Annotated[list[Outcome] | None, Query(description="Only these outcomes.")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Goes on after `Last-Event-ID` where that is among the last thousand decisions."""
    async for live in deps.hub.follow(last_event_id):
        if live is None:
            yield ServerSentEvent(comment="alive")
            continue
        position, envelope = live
        if outcome is None or envelope.data.outcome in outcome:
            yield ServerSentEvent(
                event="decision", id=event_id(position), data=decision_out(envelope)
            )
