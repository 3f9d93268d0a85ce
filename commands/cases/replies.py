"""Replies about cases: what the receiver of an alert said is done to the cases of its message."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from commands.alerts.reply_formats import Reply
from commands.cases.handle import AlertedCase, HandleCase, Label, handle_case
from commands.context import Context
from domain.cases import FourEyes
from domain.cleaning.fields import LONGEST_ID, printable
from domain.errors import ConflictError

Status = Literal["recorded", "duplicate", "requested", "refused"]


@dataclass(frozen=True, slots=True)
class ReplyTaken:
    """`detail` says why a reply was refused, for it does not go with the state of the case."""

    case_id: str
    status: Status
    detail: str = ""


async def take_reply(
    reply: Reply,
    route: str,
    cases: Sequence[AlertedCase],
    context: Context,
    four_eyes: FourEyes,
    label: Label,
) -> list[ReplyTaken]:
    """Durable when it returns; said again under the same reference, it is done once. What takes two
    people is requested by it."""
    return [await _taken(reply, route, case, context, four_eyes, label) for case in cases]


async def _taken(
    reply: Reply, route: str, case: AlertedCase, context: Context, four_eyes: FourEyes, label: Label
) -> ReplyTaken:
    command = HandleCase(
        action=reply.action,
        by=_who(reply.by, route),
        reference=f"{route}/{reply.reference}",
        note=reply.note,
    )
    try:
        receipt = await handle_case(command, case, context, four_eyes, label)
    except ConflictError as error:
        return ReplyTaken(case.case_id, "refused", str(error))
    return ReplyTaken(case.case_id, receipt.status)


def _who(by: str | None, route: str) -> str:
    """Names of people there, who are not those here: so the route is said with them."""
    name = printable((by or "").strip()) or ""
    most = LONGEST_ID - len(route) - 3
    return f"{name[:most]} ({route})" if name else route
