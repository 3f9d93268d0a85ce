"""/transactions: submission of one or many for a later decision, the state of one, and how a
step-up ended."""

import asyncio
from typing import Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Query, Request, Response

from api.body import read_lines, read_object
from api.deps import ApiDeps, Deps
from api.errors import problem
from api.openapi import body_of, problems
from api.schemas.decisions import decision_out
from api.schemas.step_ups import StepUpIn, StepUpReceiptOut, step_up_out
from api.schemas.transactions import (
    ReceiptOut,
    Status,
    TransactionIn,
    TransactionOut,
    transaction_fields,
)
from api.serving.forwarding import Answered, Sent
from commands import Receipt, SubmitTransaction, submit_transaction
from commands.intake.payload import parse_payload, transaction_id_of
from commands.transactions.step_up import (
    ConcludeStepUp,
    conclude_step_up,
    parse_step_up,
    recorded_step_up,
)
from domain.errors import InvalidInputError, NotFoundError, RetraceError, UnavailableError
from domain.step_ups import DECIDES
from domain.times import to_rfc3339

router = APIRouter(prefix="/transactions", tags=["transactions"])

MOST_LINES = 10_000
_AT_ONCE = 500
NDJSON = "application/x-ndjson"


@router.post(
    "",
    status_code=202,
    response_model=ReceiptOut,
    openapi_extra=body_of(TransactionIn),
    **problems(),
)
async def submit(request: Request, deps: Deps) -> Response:
    """Durable when answered; poll the Location for the decision."""
    payload, raw = await read_object(request)

    async def here() -> Response:
        command = SubmitTransaction(payload=payload, raw=raw, mode="submit")
        receipt = _receipt(await submit_transaction(command, deps.context))
        headers = {"Location": receipt.location}
        return Response(receipt.model_dump_json(), 202, headers, "application/json")

    return await deps.forwarding.respond(request, transaction_id_of(payload), raw, here)


@router.post(
    "/batch",
    openapi_extra=body_of(TransactionIn, NDJSON),
    response_class=Response,
    **problems(413, 415, 422),
)
async def submit_batch(request: Request, deps: Deps) -> Response:
    """One transaction a line, one result a line: `line`, `status` and a receipt or a problem."""
    lines = await read_lines(request)
    if len(lines) > MOST_LINES:
        raise InvalidInputError("body", f"has {len(lines)} lines; {MOST_LINES} at most")
    results: list[dict[str, Any]] = []
    for start in range(0, len(lines), _AT_ONCE):
        chunk = lines[start : start + _AT_ONCE]
        results += await asyncio.gather(
            *(_submit_line(deps, number, line) for number, line in chunk)
        )
    body = b"".join(orjson.dumps(result) + b"\n" for result in results)
    return Response(body, media_type=NDJSON)


@router.post(
    "/{transaction_id:path}/step-up",
    status_code=201,
    response_model=StepUpReceiptOut,
    openapi_extra=body_of(StepUpIn),
    **problems(400, 404, 409, 413, 415, 422, 503),
)
async def conclude(transaction_id: str, request: Request, deps: Deps) -> Response:
    """How a step-up ended, which decides its payment. Durable when answered; the first counts.

    201: recorded. 200: the same result was there before. 404: nothing was decided under this id.
    409: the decision was no step_up, or another result was first.
    """
    payload, raw = await read_object(request)
    command = parse_step_up(transaction_id, payload)

    async def here() -> Response:
        status, receipt = await _concluded(command, deps)
        return Response(receipt.model_dump_json(), status, media_type="application/json")

    return await deps.forwarding.respond(request, transaction_id, raw, here)


async def _concluded(command: ConcludeStepUp, deps: ApiDeps) -> tuple[int, StepUpReceiptOut]:
    receipt = await conclude_step_up(command, deps.context)
    return 200 if receipt.duplicate else 201, StepUpReceiptOut(
        transaction_id=command.transaction_id,
        event_id=receipt.event_id,
        status="duplicate" if receipt.duplicate else "recorded",
        final_outcome=DECIDES[command.result],
    )


@router.get("/{transaction_id:path}", response_model=TransactionOut, **problems(404, 422, 503))
async def get_transaction(
    transaction_id: str,
    request: Request,
    deps: Deps,
    raw: bool = Query(False, description="Also the payload as received."),
) -> Response:
    """What the log holds of this id, at once; never behind a projection."""

    async def here() -> Response:
        found = await _transaction(transaction_id, deps, raw)
        return Response(found.model_dump_json(), media_type="application/json")

    return await deps.forwarding.respond(request, transaction_id, None, here)


async def _transaction(transaction_id: str, deps: ApiDeps, raw: bool) -> TransactionOut:
    ledger = deps.context.ledger
    known = await ledger.recalled(transaction_id)
    if known is None:
        raise NotFoundError("transaction", transaction_id)
    origin = await ledger.submission(transaction_id, known)
    decision = step_up = None
    if known.scored_offset is not None:
        decision = decision_out(await ledger.decision(transaction_id, known))
        step_up = step_up_out(await recorded_step_up(transaction_id, known, deps.context))
    status: Status = "decided" if decision else "submitted"
    if known.mode == "import":
        status = "imported"
    return TransactionOut(
        transaction_id=transaction_id,
        status=status,
        known_time=to_rfc3339(origin.known_time),
        transaction=transaction_fields(origin),
        decision=decision,
        step_up=step_up,
        raw=await _raw(deps, transaction_id, origin.data) if raw else None,
    )


async def _raw(deps: ApiDeps, transaction_id: str, data: Any) -> str | None:
    try:
        found = await asyncio.to_thread(deps.evidence.raw, transaction_id)
    except UnavailableError:
        found = None
    # If the evidence store lags or is away, the payload is read from the log.
    return found if found is not None else getattr(data, "raw", None)


async def _submit_line(deps: ApiDeps, number: int, line: bytes) -> dict[str, Any]:
    try:
        payload, raw = parse_payload(line)

        async def here() -> dict[str, Any]:
            command = SubmitTransaction(payload=payload, raw=raw, mode="submit")
            receipt = await submit_transaction(command, deps.context)
            return _accepted(_receipt(receipt).model_dump())

        transaction_id = transaction_id_of(payload)
        if transaction_id is None:
            found = await here()
        else:
            sent = Sent("POST", router.prefix, line)
            found = await deps.forwarding.at_owner(transaction_id, here, sent, _of_owner)
    except RetraceError as error:
        status, body = problem(error)
        return {"line": number, "status": status, "problem": body}
    return {"line": number, **found}


def _of_owner(answered: Answered) -> dict[str, Any]:
    told = orjson.loads(answered.body)
    accepted = answered.status == 202
    return _accepted(told) if accepted else {"status": answered.status, "problem": told}


def _accepted(receipt: dict[str, Any]) -> dict[str, Any]:
    return {**receipt, "status": 202}


def _receipt(receipt: Receipt) -> ReceiptOut:
    return ReceiptOut(
        transaction_id=receipt.transaction_id,
        recorded=receipt.recorded,
        location=f"/transactions/{quote(receipt.transaction_id, safe='')}",
    )
