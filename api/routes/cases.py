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
    case_detail,
    case_row,
)
from api.serving.forwarding import Answered, Sent
from commands.cases.handle import AlertedCase, handle_case, parse_handling
from commands.labels.label import LabelTransaction, label_transaction, to_payload
from domain.cases import State
from domain.errors import UnavailableError
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
    return CasePage(items=[case_row(each) for each in page.items], next_cursor=page.cursor)


@router.get("/{case_id}", response_model=CaseDetailOut, **problems(404, 422, 503))
async def get_case(case_id: str, deps: Deps) -> CaseDetailOut:
    """A read model: it follows the log by some tens of milliseconds."""
    return case_detail(await _history(deps, case_id))


@router.post(
    "/{case_id}",
    status_code=201,
    response_model=CaseReceiptOut,
    openapi_extra=body_of(CaseHandlingIn),
    **problems(400, 404, 409, 413, 415, 422, 503),
)
async def handle(case_id: str, request: Request, response: Response, deps: Deps) -> CaseReceiptOut:
    """Durable when answered. A disposal as fraud or genuine labels the payments of the case.

    201: recorded. 200: a duplicate. 409: it does not go with the state of the case.
    """
    payload, _ = await read_object(request)
    command = parse_handling(payload, reference=uuid4().hex)
    found = await _history(deps, case_id)
    case = AlertedCase(
        case_id,
        found.case.state,
        list(dict.fromkeys(each.transaction_id for each in found.alerts)),
        {each.event_id for each in found.events},
    )
    receipt = await handle_case(command, case, deps.context, partial(_label, deps))
    if receipt.duplicate:
        response.status_code = 200
    return CaseReceiptOut(
        case_id=case_id,
        event_id=receipt.event_id,
        status="duplicate" if receipt.duplicate else "recorded",
    )


async def _label(deps: ApiDeps, command: LabelTransaction) -> None:
    """Where the payment is answered for."""

    async def here() -> None:
        await label_transaction(command, deps.context)

    def recorded(answered: Answered) -> None:
        if answered.status not in (200, 201):
            told = f"the label of {command.transaction_id!r} was answered {answered.status}"
            raise UnavailableError("api", f"{told}; retry under the same reference")

    sent = Sent("POST", "/labels", to_payload(command))
    await deps.forwarding.at_owner(command.transaction_id, here, sent, recorded)


async def _history(deps: ApiDeps, case_id: str) -> CaseHistory:
    return await asyncio.to_thread(deps.read_models.cases.history, case_id.replace("\0", ""))
