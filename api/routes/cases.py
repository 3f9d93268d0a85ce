"""/cases: the queue, one case with its history, and what is done about it."""

import asyncio
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from api.body import read_object
from api.deps import ApiDeps, Deps
from api.openapi import body_of, problems
from api.parameters import Cursor, Key, Limit
from api.schemas.cases import (
    CaseDetailOut,
    CaseHandlingIn,
    CasePage,
    CaseReceiptOut,
    alerted_case,
    case_detail,
    case_row,
)
from api.serving.labelling import label_at_owner
from commands.cases.handle import handle_case
from commands.cases.payload import parse_handling
from domain.cases import State
from projections.readmodels.queries.cases import CaseFilter, CaseHistory

router = APIRouter(prefix="/cases", tags=["cases"])


@router.get("", response_model=CasePage, **problems(422, 503))
async def list_cases(
    deps: Deps,
    state: State | None = None,
    done: bool = False,
    assignee: Key = None,
    payer_id: Key = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CasePage:
    """What is due first comes first. Without a state: all that are not done, or with `done` all
    that are."""
    asked = CaseFilter(state=state, done=done, assignee=assignee, payer_id=payer_id)
    page = await asyncio.to_thread(deps.read_models.cases.queue, asked, limit, cursor)
    now = deps.context.clock()
    return CasePage(items=[case_row(each, now) for each in page.items], next_cursor=page.cursor)


@router.get("/{case_id}", response_model=CaseDetailOut, **problems(404, 422, 503))
async def get_case(case_id: str, deps: Deps) -> CaseDetailOut:
    """A read model: it follows the log by some tens of milliseconds."""
    return case_detail(await _history(deps, case_id), deps.context.clock())


@router.post(
    "/{case_id}",
    status_code=201,
    response_model=CaseReceiptOut,
    openapi_extra=body_of(CaseHandlingIn),
    **problems(400, 404, 409, 413, 415, 422, 503),
)
async def handle(case_id: str, request: Request, response: Response, deps: Deps) -> CaseReceiptOut:
    """Durable when answered. A disposal as fraud or genuine labels the payments of the case.

    201: recorded. 200: a duplicate. 202: it takes two people, and is done once another approves it.
    409: it does not go with the state of the case, or who approves has asked for it.
    """
    payload, _ = await read_object(request)
    command = parse_handling(payload, reference=uuid4().hex)
    found = await _history(deps, case_id)
    receipt = await handle_case(
        command,
        alerted_case(found),
        deps.context,
        deps.four_eyes,
        partial(label_at_owner, deps.forwarding, deps.context),
    )
    response.status_code = {"recorded": 201, "duplicate": 200, "requested": 202}[receipt.status]
    return CaseReceiptOut(case_id=case_id, event_id=receipt.event_id, status=receipt.status)


async def _history(deps: ApiDeps, case_id: str) -> CaseHistory:
    return await asyncio.to_thread(deps.read_models.cases.history, case_id.replace("\0", ""))
