"""GET /decisions, a list from the read models, and GET /decisions/{id}, one from the log."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.deps import ApiDeps, Deps
from api.openapi import problems
from api.parameters import Cursor, Key, Limit, Since, Until, moment
from api.schemas.decisions import DecisionDetailOut, decision_detail
from api.schemas.pages import DecisionPage, decision_row
from commands.transactions.step_up import recorded_step_up
from domain.errors import NotFoundError
from domain.events import Outcome
from projections.readmodels.queries.results import DecisionFilter

router = APIRouter(prefix="/decisions", tags=["decisions"])


@router.get("", response_model=DecisionPage, **problems(422, 503))
async def list_decisions(
    deps: Deps,
    outcome: Outcome | None = None,
    since: Since = None,
    until: Until = None,
    min_score: Annotated[float | None, Query(ge=0, le=1)] = None,
    customer_id: Key = None,
    merchant_id: Key = None,
    card_id: Key = None,
    model_id: Key = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DecisionPage:
    """Newest first. A read model: it follows the log by some tens of milliseconds."""
    asked = DecisionFilter(
        outcome=outcome,
        since=moment("since", since),
        until=moment("until", until),
        min_score=min_score,
        customer_id=customer_id,
        merchant_id=merchant_id,
        card_id=card_id,
        model_id=model_id,
    )
    page = await asyncio.to_thread(deps.read_models.decisions, asked, limit, cursor)
    return DecisionPage(items=[decision_row(i) for i in page.items], next_cursor=page.cursor)


@router.get("/{transaction_id:path}", response_model=DecisionDetailOut, **problems(404, 422, 503))
async def get_decision(transaction_id: str, request: Request, deps: Deps) -> Response:
    """From the log, at once, with all that the decision depended on."""

    async def here() -> Response:
        found = await _decision(transaction_id, deps)
        return Response(found.model_dump_json(), media_type="application/json")

    return await deps.forwarding.respond(request, transaction_id, None, here)


async def _decision(transaction_id: str, deps: ApiDeps) -> DecisionDetailOut:
    known = await deps.context.ledger.recalled(transaction_id)
    if known is None:
        raise NotFoundError("transaction", transaction_id)
    if known.mode == "import":
        raise NotFoundError("decision of history (imported, not decided)", transaction_id)
    if known.scored_offset is None:
        raise NotFoundError("decision yet", transaction_id)
    return decision_detail(
        await deps.context.ledger.decision(transaction_id, known),
        await recorded_step_up(transaction_id, known, deps.context),
    )
