"""Command SubmitTransaction: cleans, digests and appends a transaction; decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commands.context import Context
from domain.errors import ConflictError, LogUnavailableError
from domain.events import Envelope, Mode, TransactionSubmitted, transaction_event_id
from eventlog.admission.first_wins import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitTransaction:
    """`payload` as parsed, `raw` as received; `mode` tells who decides."""

    payload: Mapping[str, Any]
    raw: str | None
    mode: Mode


@dataclass(frozen=True, slots=True)
class Receipt:
    """`recorded` is True where the same submission was in the log before."""

    transaction_id: str
    recorded: bool


def prepare_submission(command: SubmitTransaction, context: Context) -> Envelope:
    """Raises InvalidTransactionError, which names every field that is wrong."""
    now = context.clock()
    transaction = context.cleaner.clean(command.payload, now)
    data = TransactionSubmitted(
        transaction=transaction,
        digest=context.cleaner.digest(transaction),
        mode=command.mode,
        raw=None if command.raw is None else context.cleaner.redact(command.raw, transaction),
    )
    event_id = transaction_event_id(TransactionSubmitted, transaction.transaction_id)
    return Envelope(
        id=event_id,
        source=context.source,
        subject=transaction.transaction_id,
        time=transaction.timestamp,
        known_time=now,
        data=data,
        correlation_id=event_id,
    )


def check_same_content(submission: Envelope, known: Known) -> None:
    """Raises ConflictError where the id belongs to other content, or to imported history."""
    transaction_id = submission.subject
    if known.mode == "import":
        raise ConflictError(
            transaction_id,
            f"transaction {transaction_id!r} was imported as history and is not decided; "
            "submit under another id",
        )
    if known.digest != submission.data.digest:
        raise ConflictError(
            transaction_id,
            f"transaction {transaction_id!r} was submitted before with other content; "
            "what was recorded first stays",
        )


async def submit_transaction(command: SubmitTransaction, context: Context) -> Receipt:
    """Durable when it returns; the scoring agent decides. Raises ConflictError."""
    submission = prepare_submission(command, context)
    known = await context.ledger.recalled(submission.subject, submission.known_time)
    if known is None:
        position = await context.ledger.append(submission)
        await context.ledger.passed(position.partition, position.offset)
        known = await context.ledger.recalled(submission.subject, submission.known_time)
        if known is None:
            raise LogUnavailableError("the submission is not in the log; retry under the same id")
        check_same_content(submission, known)
        return Receipt(submission.subject, known.origin_offset != position.offset)
    check_same_content(submission, known)
    return Receipt(submission.subject, recorded=True)
