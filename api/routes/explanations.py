"""GET /transactions/{id}/explanation: why it was decided so, and what would have changed that."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.deps import ApiDeps, Deps
from api.openapi import problems
from api.parameters import moment
from api.routes.transactions import get_transaction
from api.schemas.explanations import ExplanationOut
from domain.errors import NotFoundError
from domain.events import Envelope
from eventlog.topics import TRANSACTIONS

router = APIRouter(prefix="/transactions", tags=["transactions"])

_PATH = b"/explanation"


@router.get(
    "/{transaction_id:path}/explanation", response_model=ExplanationOut, **problems(404, 422, 503)
)
async def explanation(
    transaction_id: str,
    request: Request,
    deps: Deps,
    as_known_at: Annotated[
        str | None,
        Query(description="Also by what was known at this time, RFC 3339: late payments, labels."),
    ] = None,
) -> Response:
    """Everything that made the decision: the events of each entity, each feature with the events
    that made it, rules, the model's contributions, and the smallest changes that would have given
    another outcome. Read from the log, one at a time; 503 where it would take longer than 8 s."""
    if not request.scope.get("raw_path", _PATH).partition(b"?")[0].endswith(_PATH):
        # The slash was quoted: it is part of an id.
        return await get_transaction(f"{transaction_id}/explanation", request, deps, raw=False)
    at = moment("as_known_at", as_known_at)

    async def here() -> Response:
        place, fact = await _fact(transaction_id, deps)
        ends = await deps.context.log.ends(TRANSACTIONS)
        told = await asyncio.to_thread(deps.explain, place, fact, ends, at)
        answer = ExplanationOut.model_validate(told)
        return Response(answer.model_dump_json(), media_type="application/json")

    return await deps.forwarding.respond(request, transaction_id, None, here)


async def _fact(transaction_id: str, deps: ApiDeps) -> tuple[tuple[int, int], Envelope]:
    """What counts of the id, with its place. Raises NotFoundError."""
    ledger = deps.context.ledger
    known = await ledger.recalled(transaction_id)
    if known is None:
        raise NotFoundError("transaction", transaction_id)
    if known.scored_offset is None:
        origin = await ledger.submission(transaction_id, known)
        return (known.partition, known.origin_offset), origin
    return (known.partition, known.scored_offset), await ledger.decision(transaction_id, known)
