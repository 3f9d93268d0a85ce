"""What somebody asks to be done about a case, as it is sent: its fields and their bounds."""

from collections.abc import Mapping
from typing import Any, get_args

from commands.cases.handle import HandleCase
from commands.intake.payload import check_fields
from domain.cleaning.fields import LONGEST_ID, printable
from domain.errors import InvalidInputError
from domain.events import CaseAction, Verdict

_FIELDS = "action", "by", "to", "verdict", "transactions", "note", "reference", "request"
_ACTIONS: tuple[str, ...] = (*get_args(CaseAction), "approve")
_LONGEST_NOTE = 4_000
# An event id: type, case, who and a reference.
_LONGEST_REQUEST = 4 * LONGEST_ID
_GIVES = ("assign", "escalate")
_ANSWERS = ("approve", "refuse")


def parse_handling(payload: Mapping[str, Any], reference: str) -> HandleCase:
    """Raises InvalidInputError, for a field of another name too."""
    check_fields(payload, _FIELDS)
    action = _one_of(payload, "action", _ACTIONS)
    verdict = _one_of(payload, "verdict", get_args(Verdict)) if action == "dispose" else None
    to = _text(payload, "to") if action in _GIVES else None
    note = _text(payload, "note", _LONGEST_NOTE) if payload.get("note") is not None else None
    if action == "note" and note is None:
        raise InvalidInputError("note", "must be given")
    request = _text(payload, "request", _LONGEST_REQUEST) if action in _ANSWERS else None
    for field, needed in (("to", to), ("verdict", verdict), ("request", request)):
        if needed is None and payload.get(field) is not None:
            raise InvalidInputError(field, f"does not go with the action {action!r}")
    return HandleCase(
        action=action,
        by=_text(payload, "by"),
        reference=_text(payload, "reference") if "reference" in payload else reference,
        to=to,
        verdict=verdict,
        transactions=_transactions(payload, action),
        note=note,
        request=request,
    )


def _transactions(payload: Mapping[str, Any], action: str) -> list[str] | None:
    given = payload.get("transactions")
    if given is None:
        return None
    if action != "dispose":
        raise InvalidInputError("transactions", f"does not go with the action {action!r}")
    if not isinstance(given, list) or not given or not all(isinstance(x, str) for x in given):
        raise InvalidInputError("transactions", "must be a list of transaction ids")
    return list(dict.fromkeys(given))


def _one_of(payload: Mapping[str, Any], field: str, allowed: tuple[str, ...]) -> Any:
    value = payload.get(field)
    if value not in allowed:
        raise InvalidInputError(field, f"must be one of {', '.join(allowed)}")
    return value


def _text(payload: Mapping[str, Any], field: str, longest: int = LONGEST_ID) -> str:
    value = payload.get(field)
    text = value.strip() if isinstance(value, str) else ""
    if longest == LONGEST_ID:
        text = printable(text) or ""
    if not text or len(text) > longest or "\0" in text:
        raise InvalidInputError(field, f"must be a text of 1 to {longest} characters")
    return text
