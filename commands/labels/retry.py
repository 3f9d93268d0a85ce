"""Early labels: kept, sealed, until their transaction is known, and then recorded."""

import json
from collections.abc import Awaitable, Callable
from hashlib import sha256

from commands.context import Context
from commands.labels.label import READER, label_id, label_transaction, parse_label
from domain.errors import IntegrityError, InvalidInputError, NotFoundError
from domain.events import RecordDeadLettered
from eventlog.dead_letters import DeadRecord, dead_letter, unseal

ORIGIN = "POST /labels"


def keep_early_label(key: bytes, context: Context) -> Callable[[bytes, str], Awaitable[None]]:
    """The function that keeps a label's payload for a reason. `key` seals dead letters."""

    async def keep(payload: bytes, reason: str) -> None:
        command = parse_label(json.loads(payload))
        record = DeadRecord(
            reader=READER,
            origin=ORIGIN,
            partition=0,
            # Equal labels are kept once: the place follows from what was said, and of when.
            offset=int.from_bytes(
                sha256(f"{label_id(command)} {command.time}".encode()).digest()[:6]
            ),
            reason=reason,
            original=payload,
            field="transaction_id",
        )
        await dead_letter(context.log, record, key, context.clock)

    return keep


def retry_label(key: bytes, context: Context) -> Callable[[RecordDeadLettered], Awaitable[bool]]:
    """The function that tries an early label again; True where nothing is left to do."""

    async def retry(letter: RecordDeadLettered) -> bool:
        try:
            command = parse_label(json.loads(unseal(letter.sealed, key)))
        except (IntegrityError, InvalidInputError, ValueError):
            # It stays in the dead-letter topic for people to look at.
            return True
        try:
            await label_transaction(command, context)
        except NotFoundError:
            return False
        return True

    return retry
