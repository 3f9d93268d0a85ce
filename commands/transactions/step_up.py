"""Command ConcludeStepUp: appends how a step-up ended, which decides its payment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from commands.context import Context
from commands.intake.payload import check_fields, check_not_ahead, reported_time, required_text
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.events import Envelope, StepUpConcluded, StepUpResult, transaction_event_id
from eventlog.admission.first_wins import Known

_FIELDS = "result", "reporter", "reference", "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcludeStepUp:
    """`reference` is the reporter's own; `time` when it ended, microseconds UTC, now if None."""

    transaction_id: str
    result: StepUpResult
    reporter: str
    reference: str | None = None
    time: int | None = None


@dataclass(frozen=True, slots=True)
class StepUpReceipt:
    """A `duplicate` was there before, and nothing counts anew."""

    event_id: str
    duplicate: bool


def parse_step_up(transaction_id: str, payload: Mapping[str, Any]) -> ConcludeStepUp:
    """Raises InvalidInputError, for a field of another name too."""
    check_fields(payload, _FIELDS)
    result: Any = payload.get("result")
    if result not in get_args(StepUpResult):
        raise InvalidInputError("result", f"must be one of {', '.join(get_args(StepUpResult))}")
    return ConcludeStepUp(
        transaction_id=transaction_id,
        result=result,
        reporter=required_text(payload, "reporter") if "reporter" in payload else "api",
        reference=required_text(payload, "reference") if "reference" in payload else None,
        time=reported_time(payload),
    )


async def conclude_step_up(command: ConcludeStepUp, context: Context) -> StepUpReceipt:
    """Durable when it returns. The first result counts; an equal one that comes later changes
    nothing, whoever reports it.

    Raises NotFoundError where nothing was decided under the id, ConflictError where that was no
    step_up, or where another result was first.
    """
    now = context.clock()
    check_not_ahead(command.time, now)
    known = await _decided(command.transaction_id, context, now)
    decision = await context.ledger.decision(command.transaction_id, known)
    if decision.data.outcome != "step_up":
        raise ConflictError(
            command.transaction_id,
            f"transaction {command.transaction_id!r} was decided as {decision.data.outcome}: "
            "only a step_up has a result",
        )
    first = await recorded_step_up(command.transaction_id, known, context)
    if first is not None:
        return _after(first, command)
    envelope = _envelope(command, decision, context, now)
    position = await context.ledger.append(envelope)
    await context.ledger.passed(position.partition, position.offset)
    place = context.ledger.label(envelope.id, known)
    assert place is not None, "a result that follows its decision counts, or one before it does"
    if place == (position.partition, position.offset):
        return StepUpReceipt(envelope.id, duplicate=False)
    # Another process was first.
    return _after(await context.ledger.record(command.transaction_id, *place), command)


async def recorded_step_up(transaction_id: str, known: Known, context: Context) -> Envelope | None:
    """The result that counts, None while there is none."""
    place = context.ledger.label(transaction_event_id(StepUpConcluded, transaction_id), known)
    return await context.ledger.record(transaction_id, *place) if place else None


async def _decided(transaction_id: str, context: Context, now: int) -> Known:
    known = await context.ledger.recalled(transaction_id, now)
    if known is None or known.scored_offset is None:
        # Our own tail may be behind a decision that another process has just made.
        await context.ledger.barrier()
        known = await context.ledger.recalled(transaction_id, now)
    if known is None:
        raise NotFoundError("transaction", transaction_id)
    if known.scored_offset is None:
        imported = known.mode == "import"
        raise NotFoundError(
            "decision of history (imported, not decided)" if imported else "decision yet",
            transaction_id,
        )
    return known


def _after(first: Envelope, command: ConcludeStepUp) -> StepUpReceipt:
    data: StepUpConcluded = first.data
    if data.result == command.result:
        return StepUpReceipt(first.id, duplicate=True)
    raise ConflictError(
        command.transaction_id,
        f"the step-up of transaction {command.transaction_id!r} was {data.result} already, as "
        f"{data.reporter} reported: the first result counts",
    )


def _envelope(command: ConcludeStepUp, decision: Envelope, context: Context, now: int) -> Envelope:
    def text(given: str) -> str:
        return context.cleaner.text(given, command.transaction_id)

    return Envelope(
        id=transaction_event_id(StepUpConcluded, command.transaction_id),
        source=context.source,
        subject=command.transaction_id,
        time=now if command.time is None else command.time,
        known_time=now,
        data=StepUpConcluded.of(
            decision.data.transaction,
            result=command.result,
            reporter=text(command.reporter),
            reference=command.reference and text(command.reference),
        ),
        correlation_id=decision.correlation_id,
        causation_id=decision.id,
    )
