"""One true system with everything in it that may happen, before lies are planted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from commands.labels.label import LabelTransaction, to_payload
from commands.labels.retry import ORIGIN
from domain.events import Envelope, TransactionLabelled
from domain.times import SECOND
from eventlog.port import Position
from eventlog.topics import ALERTS, INBOX_TRANSACTIONS, TRANSACTIONS
from faults.audit.evidence import Answer, Evidence
from tests.builders.evidence import READER, System, payment, submission_of
from tests.fakes.events import imported, labelled

PAYMENTS = 24


@pytest.fixture(scope="session")
def system() -> System:
    """Read it; what changes it makes its own."""
    return eventful(PAYMENTS)


@pytest.fixture(scope="session")
def evidence(system: System) -> Evidence:
    return system.evidence()


def eventful(payments: int) -> System:
    system = System()
    history(system)
    decisions = [system.pay(n, "review" if n % 5 == 3 else "approve") for n in range(payments)]
    first = decisions[0]
    retry = replace(system.answers[0], sent=system.now, at=system.now + SECOND)
    system.answers.append(retry)
    # A second submission and a second decision: void. Other content: refused.
    again = submission_of(payment(1, system.now), system.now)
    system.append(again)
    system.append(replace(first, data=replace(first.data, score=0.5)))
    other = replace(again, data=replace(again.data, digest="other content"))
    system.append(other)
    told: dict[str, Any] = {"transaction_id": other.subject, "sent": system.now, "at": system.now}
    system.answers.append(Answer(kind="refused", digest="other content", **told))
    system.answers.append(Answer(kind="unavailable", **told))
    system.damage(TRANSACTIONS, 3, READER)
    system.damage(ALERTS, 1, READER)
    raised_again(system)
    inboxes(system)
    labels(system, decisions)
    return system


def raised_again(system: System) -> None:
    """By an agent that lost its position: void."""
    alert = next(r.envelope for records in system.checked[ALERTS.name] for r in records)
    assert alert is not None
    system.append(alert, ALERTS)


def history(system: System) -> None:
    for number in (500, 501):
        past = imported(f"t-{number}", known_time=system.now - 900 * SECOND)
        x = payment(number, past.known_time)
        system.append(replace(past, data=replace(past.data, transaction=x)))


def inboxes(system: System) -> None:
    x = payment(600, system.now)
    system.put(INBOX_TRANSACTIONS, 2, b'{"transaction_id": "t-600", "amount": 12.5}')
    system.append(submission_of(x, system.now, mode="submit"))
    told: dict[str, Any] = {
        "transaction_id": x.transaction_id,
        "sent": system.now,
        "at": system.now,
    }
    system.answers.append(Answer(kind="submitted", **told))
    system.answers.append(Answer(kind="submitted", duplicate=True, **told))
    system.append(system.decide(x))
    spoilt = system.put(INBOX_TRANSACTIONS, 2, b"{")
    system.set_aside(spoilt, "inbox", b"{")


def labels(system: System, decisions: Sequence[Envelope]) -> None:
    for reference, value in (("one", 1), ("two", 0), ("three", 1)):
        system.now += SECOND
        system.label(label_of(decisions[4], reference, value, system.now))
    system.label(labelled("t-4", "three", 1, known_time=system.now), duplicate=True)
    early = LabelTransaction(
        transaction_id="t-5", kind="chargeback", value=1, reporter="bank", reference="early"
    )
    system.set_aside(Position(ORIGIN, 0, 77), "labels", to_payload(early))
    system.append(label_of(decisions[5], "early", 1, system.now))
    unknown = replace(early, transaction_id="nobody's")
    system.set_aside(Position(ORIGIN, 0, 78), "labels", to_payload(unknown))


def label_of(decision: Envelope, reference: str, value: int, known_time: int) -> Envelope:
    made = labelled(decision.subject, reference, value, known_time=known_time)
    said = {"kind": made.data.kind, "reporter": "bank", "reference": reference}
    return replace(
        made, data=TransactionLabelled.of(decision.data.transaction, value=value, **said)
    )
