"""POST /score: one synchronous decision."""

from time import perf_counter

from fastapi import APIRouter, Request, Response

from api.body import read_object
from api.deps import deps_of
from api.openapi import body_of, problems
from api.schemas.decisions import DecisionOut, decision_json
from api.schemas.transactions import TransactionIn
from commands import ScoreTransaction, score_transaction
from commands.intake.payload import transaction_id_of

router = APIRouter(tags=["decisions"])


@router.post(
    "/score", response_model=DecisionOut, openapi_extra=body_of(TransactionIn), **problems()
)
async def score(request: Request) -> Response:
    """Decide now. The same id with the same content gets the recorded decision."""
    deps, began = deps_of(request), perf_counter()
    payload, raw = await read_object(request)

    async def here() -> Response:
        command = ScoreTransaction(payload=payload, raw=raw)
        async with deps.gate:
            scored = await score_transaction(command, deps.context)
        deps.metrics.decided(scored.data)
        if deps.answered is not None:
            deps.answered(scored, perf_counter() - began)
        return Response(decision_json(scored), media_type="application/json")

    return await deps.forwarding.respond(request, transaction_id_of(payload), raw, here)
