"""GET /alerts: the list of alerts."""

import asyncio
from typing import Literal

from fastapi import APIRouter

from api.deps import Deps
from api.openapi import problems
from api.parameters import Cursor, Key, Limit, Since, Until, moment
from api.schemas.pages import AlertPage, alert_row
from projections.readmodels.queries.results import AlertFilter

router = APIRouter(tags=["alerts"])


@router.get("/alerts", response_model=AlertPage, **problems(422, 503))
async def list_alerts(
    deps: Deps,
    state: Literal["raised", "delivered", "suppressed"] | None = None,
    since: Since = None,
    until: Until = None,
    transaction_id: Key = None,
    customer_id: Key = None,
    merchant_id: Key = None,
    card_id: Key = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AlertPage:
    """Newest first."""
    asked = AlertFilter(
        state=state,
        since=moment("since", since),
        until=moment("until", until),
        transaction_id=transaction_id,
        customer_id=customer_id,
        merchant_id=merchant_id,
        card_id=card_id,
    )
    page = await asyncio.to_thread(deps.read_models.alerts_for, asked, limit, cursor)
    return AlertPage(items=[alert_row(i) for i in page.items], next_cursor=page.cursor)
