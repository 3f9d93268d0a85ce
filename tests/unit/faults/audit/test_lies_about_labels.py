"""Each lie about labels and about memories of ids is found, by the check that is meant."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from domain.events import TransactionLabelled
from domain.features import Entity
from domain.times import DAY
from faults.audit.evidence import Answer, Evidence
from projections.replay.payments import labels_of
from tests.builders.evidence import System, found, payment, submission_of
from tests.fakes.events import labelled

Lie = Callable[[Evidence], Evidence]
TWO = "fraud.transaction.labelled/t-4/bank/two"


def remembered(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, memories=[replace(evidence.memories[0], **changes)])


def without(known: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in known.items() if name != key}


def label(evidence: Evidence, **answer: Any) -> Evidence:
    given: dict[str, Any] = {
        "transaction_id": "t-4",
        "sent": evidence.now,
        "at": evidence.now,
    } | answer
    answered = Answer(kind="label", **given)
    return replace(evidence, answers=[*evidence.answers, answered])


def early(evidence: Evidence, payload: bytes) -> Evidence:
    system = System()
    place = replace(evidence.transactions[0][0].position, topic="POST /labels", offset=79)
    system.set_aside(place, "labels", payload)
    return replace(evidence, dead_letters=[*evidence.dead_letters, *system.evidence().dead_letters])


def known(evidence: Evidence, name: str, **changes: Any) -> Evidence:
    held = evidence.memories[0].known
    return remembered(evidence, known={**held, name: structs.replace(held[name], **changes)})


LIES: dict[str, tuple[Lie, str, str]] = {
    "a label acknowledged and lost": (
        lambda e: label(e, label_id="fraud.transaction.labelled/t-4/bank/lost"),
        "labels",
        "acknowledged",
    ),
    "a label that was new twice": (
        lambda e: label(e, label_id=TWO),
        "labels",
        "2 receipts say that it was new",
    ),
    "a label kept and lost": (
        lambda e: early(
            e,
            b'{"transaction_id": "t-6", "kind": "chargeback", "value": 1, "reporter": "bank",'
            b' "reference": "early"}',
        ),
        "labels",
        "was kept for it and is not in the log",
    ),
    "a label kept without reference and lost": (
        lambda e: early(
            e, b'{"transaction_id": "t-4", "kind": "reversal", "value": 0, "reporter": "bank"}'
        ),
        "labels",
        "was kept for it and is not in the log",
    ),
    "a label kept that nobody can read": (
        lambda e: early(e, b"{"),
        "labels",
        "kept, and cannot be read",
    ),
    "an earlier label in force": (
        lambda e: replace(e, labels={**(e.labels or {}), "t-4": 0}),
        "labels",
        "read models show genuine",
    ),
    "a memory ahead of the log": (
        lambda e: remembered(e, positions={**e.memories[0].positions, 0: 1000}),
        "memories",
        "is ahead of the log's end",
    ),
    "a memory ahead of its ids": (
        lambda e: remembered(e, known=without(e.memories[0].known, "t-4")),
        "memories",
        "t-4: it does not know it",
    ),
    "a memory ahead of its decisions": (
        lambda e: known(e, "t-4", scored_offset=None),
        "memories",
        "t-4: it knows no decision",
    ),
    "a memory ahead of its labels": (
        lambda e: remembered(e, labels=without(e.memories[0].labels, TWO)),
        "memories",
        "/two: it does not know it",
    ),
    "a memory of other content": (
        lambda e: known(e, "t-4", digest="other"),
        "memories",
        "which is not what",
    ),
    "a memory of another decision": (
        lambda e: known(e, "t-4", scored_offset=99),
        "memories",
        "it knows the decision 99",
    ),
    "a memory of another log": (
        lambda e: remembered(e, known={**e.memories[0].known, "t-900": e.memories[0].known["t-4"]}),
        "memories",
        "where the log has no such origin",
    ),
    "a memory of labels of another log": (
        lambda e: remembered(e, labels={**e.memories[0].labels, "label": (0, 0)}),
        "memories",
        "where no such label counts",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_found_by_its_check(name: str, evidence: Evidence) -> None:
    lie, check, words = LIES[name]
    findings = found(lie(evidence))
    assert list(findings) == [check]
    assert words in findings[check][0]


def test_a_label_that_names_another_card_than_its_transaction_is_found() -> None:
    system = System()
    x = system.pay(4).data.transaction
    said = labelled("t-4").data
    named: dict[str, Any] = {"kind": said.kind, "reporter": "bank", "reference": said.reference}
    data = TransactionLabelled.of(replace(x, card_id="c-99"), value=1, **named)
    system.append(replace(labelled("t-4"), data=data))
    assert found(system.evidence()) == {
        "labels": [
            f"{labelled('t-4').id} at 3/2: its keys, amount or time are not those of the "
            "transaction at 3/0"
        ]
    }


def test_a_label_may_wait_for_a_transaction_that_never_comes(evidence: Evidence) -> None:
    promised = label(
        evidence, transaction_id="nobody's", label_id="a label of nobody's", duplicate=True
    )
    assert found(promised) == {}
    assert list(found(replace(promised, dead_letter_key=None))) == ["labels"]


def test_a_label_that_training_takes_in_another_order_is_found(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "faults.audit.checks.in_force.labels_of"
    monkeypatch.setattr(name, lambda *given: np.minimum(labels_of(*given), 0))
    findings = found(evidence)
    assert list(findings) == ["labels"]
    assert "t-4: the last label in the log is fraud; training takes genuine" in findings["labels"]


def test_a_state_that_counts_an_earlier_label_is_found(evidence: Evidence) -> None:
    """Also where the fold of the log that it is compared with does the same."""
    system = System()
    for number in range(8):
        system.pay(number)
    held = system.evidence().states or {}
    card = Entity.MERCHANT, "m-1"
    lie = replace(evidence, states={**(evidence.states or {}), card: held[card]})
    findings = found(lie)
    assert set(findings) == {"states", "labels"}
    assert "merchant 'm-1': merchant_fraud_count_1d counts 0 frauds" in findings["labels"][0]


def test_a_memory_that_forgot_a_partition_need_not_know_its_ids(evidence: Evidence) -> None:
    memory = evidence.memories[0]
    forgotten = remembered(
        evidence,
        positions={p: at for p, at in memory.positions.items() if p != 3},
        known={name: each for name, each in memory.known.items() if each.partition != 3},
        labels={name: place for name, place in memory.labels.items() if place[0] != 3},
    )
    assert found(forgotten) == {}


def test_a_memory_that_knows_an_earlier_use_alone_is_found() -> None:
    system = System()
    first = submission_of(payment(4, system.now), system.now)
    again = replace(first, known_time=system.now + 401 * DAY)
    for envelope in (first, labelled("t-4"), again, labelled("t-4")):
        system.append(envelope)
    evidence = system.evidence()
    label_id = labelled("t-4").id
    known_first = structs.replace(evidence.memories[0].known["t-4"], origin_offset=0)
    lie = remembered(evidence, known={"t-4": known_first}, labels={label_id: (3, 1)})
    assert found(lie)["memories"][:2] == [
        "scorer: t-4: it knows the use at 0, not at 3/2",
        f"scorer: {label_id}: it knows the one at 3/1, not at 3/3",
    ]
