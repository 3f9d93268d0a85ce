"""POST /labels: fraud reports, chargebacks, representments, reversals, confirmations."""

from fastapi import APIRouter, Request, Response

from api.body import read_object
from api.deps import Deps
from api.openapi import body_of, problems
from api.schemas.labels import LabelIn, LabelReceiptOut
from commands.labels.label import (
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
async def label(request: Request, response: Response, deps: Deps) -> LabelReceiptOut:
    """201: recorded. 200: a duplicate. 202: the transaction is not known yet; the label is kept
    and retried."""
    payload, _ = await read_object(request)
    command = without_cards(parse_label(payload), deps.context.cleaner)
    try:
        receipt = await label_transaction(command, deps.context)
    except NotFoundError as error:
        await deps.keep_early_label(to_payload(command), str(error))
        response.status_code = 202
        return LabelReceiptOut(
            transaction_id=command.transaction_id, label_id=label_id(command), status="parked"
        )
    if receipt.duplicate:
        response.status_code = 200
    return LabelReceiptOut(
        transaction_id=command.transaction_id,
        label_id=receipt.label_id,
        status="duplicate" if receipt.duplicate else "recorded",
    )
