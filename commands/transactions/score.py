"""Command ScoreTransaction: submits a transaction and decides it at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commands.context import Context
from commands.transactions.correlation import CORRELATION
from commands.transactions.decide import decide_submission, decision_of
from commands.transactions.submit import SubmitTransaction, check_same_content, prepare_submission
from domain.events import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTransaction:
    """`payload` as parsed, `raw` as received."""

    payload: Mapping[str, Any]
    raw: str | None


async def score_transaction(command: ScoreTransaction, context: Context) -> Envelope:
    """The decision that counts; the same id with the same content gets the recorded one.

    Raises InvalidTransactionError, ConflictError, and LogUnavailableError where the outcome is in
    doubt: a retry under the same id finds it.
    """
    submission = prepare_submission(
        SubmitTransaction(payload=command.payload, raw=command.raw, mode="score"), context
    )
    CORRELATION.set(submission.correlation_id)
    subject = submission.subject
    async with context.locks.hold(subject):
        known = await context.ledger.recalled(subject, submission.known_time)
        if known is None:
            return await decide_submission(submission, context, recorded=False)
        check_same_content(submission, known)
        return await decision_of(subject, known, context)
