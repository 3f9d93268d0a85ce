"""Command LabelTransaction: appends a report of fraud, or of a genuine payment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from commands.context import Context
from commands.intake.cleaner import PayloadCleaner
from commands.intake.payload import check_fields, check_not_ahead, reported_time
from domain.cleaning.fields import LONGEST_ID, printable
from domain.errors import InvalidInputError, NotFoundError
from domain.events import Envelope, LabelKind, TransactionLabelled, label_event_id
from domain.times import to_rfc3339
from domain.transactions import Transaction
from eventlog.admission.first_wins import Known
from eventlog.ledger.ledger import Ledger

READER = "labels"
_LONGEST_REFERENCE = LONGEST_ID + 20

# What each kind says unless the value is given: 1 is fraud, 0 is genuine.
_VALUES: dict[LabelKind, int] = {
    "fraud_report": 1,
    "chargeback": 1,
    "representment": 0,
    "reversal": 0,
    "genuine": 0,
}

_FIELDS = "transaction_id", "kind", "value", "reporter", "reference", "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTransaction:
    """`reference` is the reporter's own: an equal one is the same label. Without one, a report is
    news where the reporter's last said otherwise. `value` 1 = fraud."""

    transaction_id: str
    kind: LabelKind
    value: int
    reporter: str
    reference: str | None = None
    time: int | None = None


@dataclass(frozen=True, slots=True)
class LabelReceipt:
    """The label that counts; a `duplicate` was there before, and nothing counts anew."""

    label_id: str
    duplicate: bool


def parse_label(payload: Mapping[str, Any]) -> LabelTransaction:
    """Raises InvalidInputError, for a field of another name too: the kind in a field `type` would
    be passed over, and a representment recorded as fraud."""
    check_fields(payload, _FIELDS)
    kind = payload.get("kind", "fraud_report")
    if kind not in get_args(LabelKind):
        raise InvalidInputError("kind", f"must be one of {', '.join(get_args(LabelKind))}")
    transaction_id = _text(payload, "transaction_id")
    reporter = _text(payload, "reporter") if "reporter" in payload else "api"
    reference = None
    if "reference" in payload:
        reference = _text(payload, "reference", _LONGEST_REFERENCE)
    value = payload.get("value", _VALUES.get(kind))
    if value not in (0, 1) or isinstance(value, float):
        raise InvalidInputError("value", "must be 1 (fraud) or 0 (confirmed genuine)")
    return LabelTransaction(
        transaction_id=transaction_id,
        kind=kind,
        value=int(value),
        reporter=reporter,
        reference=reference,
        time=reported_time(payload),
    )


def without_cards(command: LabelTransaction, cleaner: PayloadCleaner) -> LabelTransaction:
    """Reporters' references are free text, and some hold card numbers."""
    return replace(
        command,
        reporter=cleaner.text(command.reporter, command.transaction_id),
        reference=command.reference and cleaner.text(command.reference, command.transaction_id),
    )


async def label_transaction(
    command: LabelTransaction, context: Context, letter_id: str | None = None
) -> LabelReceipt:
    """Durable when it returns. Raises NotFoundError for an unknown id: dead-letter and retry.

    `letter_id` is that of the dead letter in which it was kept; its label is recorded once.
    """
    now = context.clock()
    check_not_ahead(command.time, now)
    known = await context.ledger.recalled(command.transaction_id, now)
    if known is None:
        # Our own tail may be behind a transaction that is new, or an id that was used again.
        await context.ledger.barrier()
        known = await context.ledger.recalled(command.transaction_id)
    if known is None:
        raise NotFoundError("transaction", command.transaction_id)
    if letter_id is not None and await _is_recorded(command, context.ledger, known, letter_id):
        return LabelReceipt(label_id(command), duplicate=True)
    command, duplicate = _referenced(command, context.ledger, known)
    if duplicate:
        return LabelReceipt(label_id(command), duplicate=True)
    origin = await context.ledger.submission(command.transaction_id, known)
    envelope = label_envelope(
        command, origin.data.transaction, context.source, now, origin.correlation_id, letter_id
    )
    position = await context.ledger.append(envelope)
    await context.ledger.passed(position.partition, position.offset)
    # Another process may have recorded it meanwhile.
    first = context.ledger.label(envelope.id, known) == (position.partition, position.offset)
    return LabelReceipt(envelope.id, duplicate=not first)


def _referenced(
    command: LabelTransaction, ledger: Ledger, known: Known
) -> tuple[LabelTransaction, bool]:
    """The command with the reference it is recorded under, and whether it is recorded already.

    Without a reference of the reporter's own, reports of a kind are numbered, and one is said again
    where it is the last of that reporter: chargeback, representment, chargeback are three labels.
    """
    if command.reference is not None:
        return command, ledger.label(label_id(command), known) is not None
    said = (
        replace(command, kind=kind, value=value) for kind in get_args(LabelKind) for value in (0, 1)
    )
    recorded = {(each.kind, each.value): _recorded(each, ledger, known) for each in said}
    own = recorded.pop((command.kind, command.value))
    others = [offsets[-1] for offsets in recorded.values() if offsets]
    said_again = bool(own) and own[-1] > max(others, default=-1)
    number = len(own) if said_again else len(own) + 1
    return replace(command, reference=_usual_reference(command, number)), said_again


async def _is_recorded(
    command: LabelTransaction, ledger: Ledger, known: Known, letter_id: str
) -> bool:
    """True where a label without a reference was recorded from this dead letter."""
    if command.reference is not None:
        return False
    name, partition = command.transaction_id, known.partition
    recorded = [
        await ledger.record(name, partition, at) for at in _recorded(command, ledger, known)
    ]
    return any(each.causation_id == letter_id for each in recorded)


def _recorded(command: LabelTransaction, ledger: Ledger, known: Known) -> list[int]:
    """Offsets of the reporter's labels of that kind and value that had no reference, in order."""
    offsets: list[int] = []
    while place := ledger.label(
        label_id(replace(command, reference=_usual_reference(command, len(offsets) + 1))), known
    ):
        offsets.append(place[1])
    return offsets


def _usual_reference(command: LabelTransaction, number: int = 1) -> str:
    usual = _VALUES.get(command.kind) == command.value
    said = command.kind if usual else f"{command.kind}={command.value}"
    again = f"#{number}" if number > 1 else ""
    return f"{said}:{command.transaction_id}{again}"


def label_envelope(
    command: LabelTransaction,
    transaction: Transaction,
    source: str,
    known_time: int,
    correlation_id: str,
    causation_id: str | None = None,
) -> Envelope:
    """The label with the entity keys, amount and time of its transaction copied in."""
    data = TransactionLabelled.of(
        transaction,
        value=command.value,
        kind=command.kind,
        reporter=command.reporter,
        reference=_given(command),
    )
    return Envelope(
        id=label_id(command),
        source=source,
        subject=command.transaction_id,
        time=known_time if command.time is None else command.time,
        known_time=known_time,
        data=data,
        correlation_id=correlation_id,
        causation_id=causation_id,
    )


def label_id(command: LabelTransaction) -> str:
    """Of a command without a reference: of the first such report."""
    return label_event_id(
        TransactionLabelled, command.transaction_id, command.reporter, _given(command)
    )


def _given(command: LabelTransaction) -> str:
    return command.reference or _usual_reference(command)


def to_payload(command: LabelTransaction) -> bytes:
    """The bytes that a dead letter keeps; `parse_label` reads them back."""
    payload = {
        "transaction_id": command.transaction_id,
        "kind": command.kind,
        "value": command.value,
        "reporter": command.reporter,
        "timestamp": None if command.time is None else to_rfc3339(command.time),
    }
    if command.reference is not None:
        payload["reference"] = command.reference
    return json.dumps(payload).encode()


def _text(payload: Mapping[str, Any], field: str, longest: int = LONGEST_ID) -> str:
    value = payload.get(field)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**longest:
        value = str(value)
    # As ids of transactions are cleaned: a label must find the one that it names.
    text = printable(value.strip()) if isinstance(value, str) else None
    if not text or len(text) > longest:
        raise InvalidInputError(field, f"must be a printable text of 1 to {longest} characters")
    return text
