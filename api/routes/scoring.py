"""POST /score: one synchronous decision."""

from fastapi import APIRouter, Request

from api.body import read_object
from api.deps import Deps
from api.openapi import body_of, problems
from api.schemas.decisions import DecisionOut, decision_out
from api.schemas.transactions import TransactionIn
from commands import ScoreTransaction, score_transaction

router = APIRouter(tags=["decisions"])


@router.post(
    "/score", response_model=DecisionOut, openapi_extra=body_of(TransactionIn), **problems()
)
async def score(request: Request, deps: Deps) -> DecisionOut:
    """Decide now. The same id with the same content gets the recorded decision."""
    payload, raw = await read_object(request)
    scored = await score_transaction(ScoreTransaction(payload=payload, raw=raw), deps.context)
    deps.metrics.decided(scored.data)
    return decision_out(scored)
