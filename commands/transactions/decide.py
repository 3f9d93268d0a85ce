"""Command DecideTransaction: decides a submission that is in the log already."""

import asyncio
from dataclasses import dataclass

from commands.context import Context
from commands.transactions.decision import make_decision
from commands.transactions.submit import check_same_content
from domain.errors import LogUnavailableError
from domain.events import Envelope
from eventlog.admission.first_wins import Known
from eventlog.port import Position


@dataclass(frozen=True, slots=True)
class DecideTransaction:
    transaction_id: str


async def decide_transaction(command: DecideTransaction, context: Context) -> Envelope | None:
    """The decision that counts; None where the id is unknown or was imported as history.

    Raises LogUnavailableError where the outcome is in doubt: a retry finds it.
    """
    subject = command.transaction_id
    async with context.locks.hold(subject):
        known = context.ledger.known(subject)
        if known is None or known.mode == "import":
            return None
        if known.scored_offset is not None:
            return await recorded_decision(subject, known, context)
        return await decide_submission(await context.ledger.submission(known), context)


async def recorded_decision(subject: str, known: Known, context: Context) -> Envelope:
    """The decision that counts, to be answered: from here on every process sees its transaction."""
    decision = await context.ledger.decision(subject, known)
    assert known.scored_offset is not None
    await context.features.answered(known.partition, known.scored_offset)
    return decision


async def decide_submission(
    submission: Envelope, context: Context, acknowledged: asyncio.Future[Position] | None = None
) -> Envelope:
    """Decides, appends, and returns the decision that counts. Call it under the id's lock.

    `acknowledged` is the append of the submission where that is still under way.
    """
    if acknowledged is not None:
        # Where deciding fails first, nobody awaits the append any more.
        acknowledged.add_done_callback(lambda done: done.cancelled() or done.exception())
    scored = await make_decision(submission, context)
    appended = context.ledger.append(scored)
    # Awaited together: where one fails, the failure of the other is not left unseen.
    position, *_ = await asyncio.gather(appended, *([acknowledged] if acknowledged else []))
    # Already so where nobody else has written to the partition since we read it.
    await context.ledger.passed(position.partition, position.offset)
    known = context.ledger.known(submission.subject)
    if known is None:
        raise LogUnavailableError("the submission is not in the log; retry under the same id")
    check_same_content(submission, known)
    return await recorded_decision(submission.subject, known, context)
