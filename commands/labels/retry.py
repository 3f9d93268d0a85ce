"""Early labels: kept, sealed, until their transaction is known, and then recorded."""

import json
from collections.abc import Awaitable, Callable
from hashlib import sha256

from commands.context import Context
from commands.labels.label import READER, LabelTransaction, label_id, label_transaction, parse_label
from domain.errors import IntegrityError, InvalidInputError, NotFoundError
from eventlog.dead_letters import DeadRecord, dead_letter, unseal

ORIGIN = "POST /labels"


def keep_early_label(key: bytes, context: Context) -> Callable[[bytes, str], Awaitable[None]]:
    """The function that keeps a label's payload for a reason. `key` seals dead letters."""

    async def keep(payload: bytes, reason: str) -> None:
        command = parse_label(json.loads(payload))
        # Without a reference only the order tells whether it is said again or anew.
        said = "" if command.reference else f"{context.source} {context.clock()}"
        record = DeadRecord(
            reader=READER,
            origin=ORIGIN,
            partition=0,
            # Labels of one reference are kept once: the place follows from what was said.
            offset=int.from_bytes(
                sha256(f"{label_id(command)} {command.time} {said}".encode()).digest()[:6]
            ),
            reason=reason,
            original=payload,
            field="transaction_id",
        )
        await dead_letter(context.log, record, key, context.clock)

    return keep


def open_early_label(key: bytes) -> Callable[[str], LabelTransaction | None]:
    """The function that opens the sealed bytes of a dead letter; None where they are no label."""

    def opened(sealed: str) -> LabelTransaction | None:
        try:
            return parse_label(json.loads(unseal(sealed, key)))
        except (IntegrityError, InvalidInputError, ValueError):
            return None

    return opened


def record_early_label(context: Context) -> Callable[[LabelTransaction, str], Awaitable[bool]]:
    """The function that records a label that was kept, by the id of its dead letter, once however
    often it is called; False while the transaction is unknown."""

    async def record(command: LabelTransaction, letter_id: str) -> bool:
        try:
            await label_transaction(command, context, letter_id)
        except NotFoundError:
            return False
        return True

    return record
