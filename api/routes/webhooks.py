"""POST /webhooks/{route}: what the receiver of alerts sends back moves their cases."""

import asyncio
from functools import partial

from fastapi import APIRouter, Request

from api.body import read_bytes
from api.deps import ApiDeps, Deps
from api.openapi import body_of, problems
from api.schemas.cases import alerted_case
from api.schemas.webhooks import ReplyOut, WebhookIn, WebhookOut
from api.serving.labelling import label_at_owner
from commands.alerts.reply_formats import Reply
from commands.cases.received import Received, read_replies
from commands.cases.replies import take_reply
from domain.errors import NotFoundError

router = APIRouter(tags=["webhooks"])

# In a digest.
_MOST_CASES = 1_000


@router.post(
    "/webhooks/{route}",
    response_model=WebhookOut,
    openapi_extra=body_of(WebhookIn),
    **problems(400, 401, 404, 413, 415, 422, 503),
)
async def take_webhook(route: str, request: Request, deps: Deps) -> WebhookOut:
    """Acknowledged, resolved, reopened and noted, as PagerDuty, Opsgenie, Jira, Alertmanager and
    Standard Webhooks say it. Durable when answered; a repeat is done once.

    401: not by the secret of the route. 404: the route takes no replies, or no alert is known.
    """
    body = await read_bytes(request)
    routes = deps.context.policy().snapshot.routes
    found = next((each for each in routes if each.name == route), None)
    secret = deps.secret_of(found.replies) if found and found.replies else ""
    received = Received(dict(request.headers), body, deps.context.clock())
    replies = read_replies(found, route, secret, received)
    results = [each for reply in replies for each in await _done(reply, route, deps)]
    if results and all(each.status == "unknown" for each in results):
        raise NotFoundError("alert or case", replies[0].key)
    return WebhookOut(results=results)


async def _done(reply: Reply, route: str, deps: ApiDeps) -> list[ReplyOut]:
    cases = deps.read_models.cases
    ids = await asyncio.to_thread(cases.of_message, route, reply.key, _MOST_CASES)
    if not ids:
        return [ReplyOut(action=reply.action, status="unknown", detail=reply.key)]
    histories = [await asyncio.to_thread(cases.history, each) for each in ids]
    found = [alerted_case(each) for each in histories]
    label = partial(label_at_owner, deps.forwarding, deps.context)
    taken = await take_reply(reply, route, found, deps.context, deps.four_eyes, label)
    return [
        ReplyOut(case_id=each.case_id, action=reply.action, status=each.status, detail=each.detail)
        for each in taken
    ]
