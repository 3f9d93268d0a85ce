"""Command DecideTransaction: decides a submission that is in the log already."""

import asyncio
from dataclasses import dataclass

from commands.context import Context
from commands.transactions.correlation import CORRELATION
from commands.transactions.decision import make_decision
from commands.transactions.submit import check_same_content
from domain.errors import LogUnavailableError
from domain.events import Envelope, TransactionSubmitted, transaction_event_id
from eventlog.admission.first_wins import Known


@dataclass(frozen=True, slots=True)
class DecideTransaction:
    transaction_id: str


async def decide_transaction(command: DecideTransaction, context: Context) -> Envelope | None:
    """The decision that counts; None where the id is unknown or was imported as history.

    Raises LogUnavailableError where the outcome is in doubt: a retry finds it.
    """
    subject = command.transaction_id
    CORRELATION.set(transaction_event_id(TransactionSubmitted, subject))
    async with context.locks.hold(subject):
        known = await context.ledger.recalled(subject)
        if known is None or known.mode == "import":
            return None
        return await decision_of(subject, known, context)


async def decision_of(subject: str, known: Known, context: Context) -> Envelope:
    """That of a submission in the log: as recorded, or made now. Call it under the id's lock."""
    if known.scored_offset is not None:
        return await _recorded_decision(subject, known, context)
    submission = await context.ledger.submission(subject, known)
    return await decide_submission(submission, context, recorded=True)


async def _recorded_decision(subject: str, known: Known, context: Context) -> Envelope:
    """The decision that counts, to be answered: from here on every process sees its transaction."""
    decision = await context.ledger.decision(subject, known)
    assert known.scored_offset is not None
    await context.features.answered(known.partition, known.scored_offset, decision)
    return decision


async def decide_submission(submission: Envelope, context: Context, *, recorded: bool) -> Envelope:
    """Decides, appends, and returns the decision that counts. Call it under the id's lock.

    A submission that is not `recorded` goes to the log with its decision, the two in one go.
    """
    scored = await make_decision(submission, context)
    events = (scored,) if recorded else (submission, scored)
    # Awaited together: where one fails, the failure of the other is not left unseen.
    *_, position = await asyncio.gather(*context.ledger.append_together(*events))
    # Already so where nobody else has written to the partition since we read it.
    await context.ledger.passed(position.partition, position.offset)
    known = await context.ledger.recalled(submission.subject)
    if known is None:
        raise LogUnavailableError("the submission is not in the log; retry under the same id")
    check_same_content(submission, known)
    return await _recorded_decision(submission.subject, known, context)
