"""POST /labels: fraud reports, chargebacks, representments, reversals, confirmations."""

from fastapi import APIRouter, Request, Response

from api.body import read_object
from api.deps import ApiDeps, Deps
from api.openapi import body_of, problems
from api.schemas.labels import LabelIn, LabelReceiptOut
from commands.labels.label import (
    LabelTransaction,
    label_id,
    label_transaction,
    parse_label,
    to_payload,
    without_cards,
)
from domain.errors import NotFoundError

router = APIRouter(tags=["labels"])


@router.post(
    "/labels",
    status_code=201,
    response_model=LabelReceiptOut,
    openapi_extra=body_of(LabelIn),
    **problems(400, 413, 415, 422, 503),
)
async def label(request: Request, deps: Deps) -> Response:
    """201: recorded. 200: a duplicate. 202: the transaction is not known yet; the label is kept
    and retried."""
    payload, raw = await read_object(request)
    command = without_cards(parse_label(payload), deps.context.cleaner)

    async def here() -> Response:
        status, receipt = await _recorded(command, deps)
        return Response(receipt.model_dump_json(), status, media_type="application/json")

    return await deps.forwarding.respond(request, command.transaction_id, raw, here)


async def _recorded(command: LabelTransaction, deps: ApiDeps) -> tuple[int, LabelReceiptOut]:
    try:
        receipt = await label_transaction(command, deps.context)
    except NotFoundError as error:
        await deps.keep_early_label(to_payload(command), str(error))
        return 202, LabelReceiptOut(
            transaction_id=command.transaction_id, label_id=label_id(command), status="parked"
        )
    return 200 if receipt.duplicate else 201, LabelReceiptOut(
        transaction_id=command.transaction_id,
        label_id=receipt.label_id,
        status="duplicate" if receipt.duplicate else "recorded",
    )
