"""Owns ScoreTransaction and DecideTransaction: the answer is what counts in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commands.context import Context
from commands.transactions.decide import make_decision
from commands.transactions.submit import (
    SubmitTransaction,
    append_submission,
    check_same_content,
    prepare_submission,
)
from domain.errors import LogUnavailableError
from domain.events import Envelope
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTransaction:
    """Submit and decide now; the same id with the same content gets the recorded decision."""

    payload: Mapping[str, Any]
    raw: str | None


@dataclass(frozen=True, slots=True)
class DecideTransaction:
    """Decide a submission that is in the log already."""

    transaction_id: str


async def score_transaction(command: ScoreTransaction, context: Context) -> Envelope:
    """Returns the scored envelope that counts.

    Raises InvalidTransactionError, ConflictError, and LogUnavailableError where the outcome is in
    doubt: a retry under the same id finds it.
    """
    submission = prepare_submission(
        SubmitTransaction(payload=command.payload, raw=command.raw, mode="score"), context
    )
    subject = submission.subject
    async with context.flight.hold(subject):
        known = context.ledger.known(subject, submission.known_time)
        if known is None:
            acknowledged = asyncio.ensure_future(append_submission(submission, context))
            return await _decide(submission, context, acknowledged)
        check_same_content(submission, known)
        if known.scored_offset is not None:
            return await context.ledger.decision(subject, known)
        return await _decide(await context.ledger.submission(known), context)


async def decide_transaction(command: DecideTransaction, context: Context) -> Envelope | None:
    """Decides what is undecided; None where the id is unknown or is not to be decided."""
    subject = command.transaction_id
    async with context.flight.hold(subject):
        known = context.ledger.known(subject)
        if known is None or known.mode == "import":
            return None
        if known.scored_offset is not None:
            return await context.ledger.decision(subject, known)
        return await _decide(await context.ledger.submission(known), context)


async def _decide(
    submission: Envelope, context: Context, acknowledged: asyncio.Future[Position] | None = None
) -> Envelope:
    if acknowledged is not None:
        # Where deciding fails first, nobody awaits the append any more.
        acknowledged.add_done_callback(lambda done: done.cancelled() or done.exception())
    scored = await make_decision(submission, context)
    appended = context.log.append(TRANSACTIONS, submission.subject, scored)
    if acknowledged is not None:
        await acknowledged
    position = await appended
    await context.ledger.passed(position.partition, position.offset)
    known = context.ledger.known(submission.subject)
    if known is None:
        raise LogUnavailableError("the submission is not in the log; retry under the same id")
    check_same_content(submission, known)
    return await context.ledger.decision(submission.subject, known)
