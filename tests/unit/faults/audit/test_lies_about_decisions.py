"""Each lie about the log, decisions and alerts is found, by the check that is meant."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.events import Envelope, TransactionScored, TransactionSubmitted
from domain.features import CATALOGUE, encode_held
from eventlog.codec import decode, encode
from eventlog.port import Position, Recorded
from eventlog.topics import INBOX_TRANSACTIONS
from faults.audit.auditing import audit
from faults.audit.evidence import Answer, Evidence, Finding, Shown
from faults.audit.reading import read
from projections.verification.comparing import SHOWN
from tests.builders.evidence import System, found, payment, submission_of

Lie = Callable[[Evidence], Evidence]


def rewritten(evidence: Evidence, kind: type[Any], subject: str, **changes: Any) -> Evidence:
    """The log with other data in the first such fact, and answers that agree with it."""
    done: list[tuple[Envelope, Envelope]] = []

    def change(recorded: Recorded) -> Recorded:
        if done or subject not in recorded.value.decode() or recorded.key != subject:
            return recorded
        envelope = decode(recorded.value)
        if not isinstance(envelope.data, kind):
            return recorded
        done.append((envelope, replace(envelope, data=replace(envelope.data, **changes))))
        return replace(recorded, value=encode(done[0][1]))

    log = [[change(recorded) for recorded in records] for records in evidence.transactions]
    answers = [
        replace(each, decision=done[0][1]) if done and each.decision == done[0][0] else each
        for each in evidence.answers
    ]
    return replace(evidence, transactions=log, answers=answers)


def told(evidence: Evidence, number: int, **changes: Any) -> Evidence:
    answers = list(evidence.answers)
    answers[number] = replace(answers[number], **changes)
    return replace(evidence, answers=answers)


def more(evidence: Evidence, **answer: Any) -> Evidence:
    answered = Answer(sent=evidence.now, at=evidence.now, **answer)
    return replace(evidence, answers=[*evidence.answers, answered])


def other_score(evidence: Evidence) -> Evidence:
    decision = evidence.answers[0].decision
    assert decision is not None
    return told(evidence, 0, decision=replace(decision, data=replace(decision.data, score=0.5)))


def shown(evidence: Evidence, **changes: Any) -> Evidence:
    """The first answer as a client of the API knows it, with these changes."""
    decision = evidence.answers[0].decision
    assert decision is not None
    data = decision.data
    showed = Shown(
        score=data.score,
        outcome=data.outcome,
        reasons=tuple(data.reasons),
        path=data.path,
        flags=tuple(data.flags),
        model_id=data.model_id,
        policy_version=data.policy_version,
        known_time=decision.known_time,
    )
    return told(evidence, 0, decision=None, shown=replace(showed, **changes))


def decision_of(evidence: Evidence, transaction_id: str) -> Envelope:
    return next(
        each.decision
        for each in evidence.answers
        if each.transaction_id == transaction_id and each.decision is not None
    )


def one_bit(evidence: Evidence) -> Evidence:
    """The last value that is known of a served vector."""
    values = np.array(decision_of(evidence, "t-6").data.features, dtype=np.float64)
    at = int(np.flatnonzero(~np.isnan(values))[-1])
    values.view(np.int64)[at] ^= 1
    kept = [None if value != value else value for value in values.tolist()]
    return rewritten(evidence, TransactionScored, "t-6", features=kept)


def versions_ahead(evidence: Evidence) -> Evidence:
    text = encode_held(dict.fromkeys(range(8), 10000))
    return rewritten(evidence, TransactionScored, "t-6", versions={"card": text})


def inbox_lost(evidence: Evidence) -> Evidence:
    place = Position(INBOX_TRANSACTIONS.name, 1, 0)
    lost = Recorded(place, None, b'{"transaction_id": "t-900", "amount": 1}')
    return replace(evidence, inbox=[[], [lost], *evidence.inbox[2:]])


def inbox_set_aside(evidence: Evidence) -> Evidence:
    """The record that was spoilt says what the log has, or what it lacks."""
    (said, spoilt), digest = evidence.inbox[2], read(evidence).lives["t-600"][0].digest
    inbox = [*evidence.inbox[:2], [said, replace(spoilt, value=said.value)], *evidence.inbox[3:]]
    return replace(evidence, inbox=inbox, inbox_digests={(2, 1): digest}, dead_letter_key=None)


def inbox_dropped(evidence: Evidence) -> Evidence:
    lying = inbox_set_aside(evidence)
    said, spoilt = lying.inbox[2]
    other = replace(spoilt, value=b'{"transaction_id": "t-900", "amount": 1}')
    return replace(lying, inbox=[*lying.inbox[:2], [said, other], *lying.inbox[3:]])


def misplaced(evidence: Evidence) -> Evidence:
    log = [list(records) for records in evidence.transactions]
    place = Position(log[0][0].position.topic, 0, len(log[0]))
    known = next(record for record in log[3] if record.key)
    log[0].append(replace(known, position=place))
    return replace(evidence, transactions=log)


LIES: dict[str, tuple[Lie, str, str]] = {
    "a decision answered and lost": (
        lambda e: more(e, kind="scored", transaction_id="t-900"),
        "answers",
        "the log holds none that counts",
    ),
    "a decision answered with another score": (other_score, "answers", "score 0.5, in the log"),
    "a decision shown with another score": (
        lambda e: shown(e, score=0.5),
        "answers",
        "score 0.5, in the log",
    ),
    "a decision shown that was made for other content": (
        lambda e: told(shown(e), 0, digest="other content"),
        "answers",
        "made for other content than was sent",
    ),
    "an import that is lost": (
        lambda e: replace(e, imported=["t-500", "t-900"]),
        "answers",
        "t-900: an import has recorded it",
    ),
    "a decision made for other content": (
        lambda e: told(e, 2, digest="other content"),
        "answers",
        "made for other content than was sent",
    ),
    "a receipt for what was lost": (
        lambda e: more(e, kind="submitted", transaction_id="t-900"),
        "answers",
        "the log holds no such submission",
    ),
    "a receipt for other content": (
        lambda e: more(e, kind="submitted", transaction_id="t-1", duplicate=True, digest="other"),
        "answers",
        "other content than the log holds",
    ),
    "a receipt for what is history": (
        lambda e: more(e, kind="submitted", transaction_id="t-500"),
        "answers",
        "as imported history",
    ),
    "two receipts that say new": (
        lambda e: more(e, kind="submitted", transaction_id="t-600"),
        "answers",
        "2 receipts say that it was new",
    ),
    "equal content refused": (
        lambda e: more(e, kind="refused", transaction_id="t-1", digest="digest of t-1"),
        "answers",
        "the log holds the same content",
    ),
    "refused for nothing": (
        lambda e: more(e, kind="refused", transaction_id="t-900"),
        "answers",
        "holds nothing under this id",
    ),
    "a served value of another bit": (one_bit, "served", "recorded"),
    "versions that were not there": (versions_ahead, "served", "which was not there"),
    "versions that are no text of ours": (
        lambda e: rewritten(e, TransactionScored, "t-6", versions={"card": "!"}),
        "served",
        "its versions of card",
    ),
    "a vector of too few values": (
        lambda e: rewritten(e, TransactionScored, "t-6", features=[1.0]),
        "served",
        "1 values of",
    ),
    "features of an unknown set": (
        lambda e: rewritten(e, TransactionScored, "t-6", feature_set="x" * 16),
        "served",
        "not in the evidence",
    ),
    "a record of an inbox that is lost": (inbox_lost, "inbox", "t-900 is neither"),
    "one set aside that is in the log": (inbox_set_aside, "inbox", "and is in the log"),
    "one set aside that could be taken": (inbox_dropped, "inbox", "and could be taken"),
}


def test_a_decision_shown_as_it_is_in_the_log_is_true(evidence: Evidence) -> None:
    assert audit(shown(evidence)) == []


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_found_by_its_check(name: str, evidence: Evidence) -> None:
    lie, check, words = LIES[name]
    findings = found(lie(evidence))
    assert list(findings) == [check]
    assert words in findings[check][0]


def test_of_many_wrong_values_the_first_are_told_and_the_rest_counted(evidence: Evidence) -> None:
    wrong = rewritten(evidence, TransactionScored, "t-6", features=[-1.5] * len(CATALOGUE))
    told_of = found(wrong)["served"]
    assert len(told_of) == SHOWN + 1
    assert told_of[-1] == f"and {len(CATALOGUE) - SHOWN} values more"


def test_a_long_difference_is_shown_in_short(evidence: Evidence) -> None:
    decision = decision_of(evidence, "t-0")
    changed = replace(decision, data=replace(decision.data, features=[0.5] * 100))
    (what,) = found(told(evidence, 0, decision=changed))["answers"]
    assert f"features [{'0.5, ' * 11}0.5,…, in the log [" in what


def test_a_record_in_a_partition_that_is_not_its_own_is_found(evidence: Evidence) -> None:
    assert "belongs to partition 3" in found(misplaced(evidence))["log"][0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "another"}, "its event id is 'another'"),
        ({"known_time": 1}, "us after its known time"),
    ],
)
def test_an_envelope_that_contradicts_its_content_is_found(
    changes: dict[str, Any], words: str, evidence: Evidence
) -> None:
    log = [list(records) for records in evidence.transactions]
    for records in log:
        for at, recorded in enumerate(records):
            if recorded.key == "t-7" and isinstance(
                (envelope := decode(recorded.value)).data, TransactionSubmitted
            ):
                records[at] = replace(recorded, value=encode(replace(envelope, **changes)))
    assert words in found(replace(evidence, transactions=log))["log"][0]


def test_a_record_under_another_key_is_found(evidence: Evidence) -> None:
    log = [list(records) for records in evidence.transactions]
    at = next(n for n, recorded in enumerate(log[3]) if recorded.key == "t-4")
    log[3][at] = replace(log[3][at], key=None)
    assert found(replace(evidence, transactions=log)) == {
        "log": [f"3/{at}: its key is None and its transaction 't-4'"]
    }


def test_an_offset_that_stands_twice_is_found(evidence: Evidence) -> None:
    log = [list(records) for records in evidence.transactions]
    log[3].insert(1, log[3][0])
    assert found(replace(evidence, transactions=log))["log"][0] == "3/0: its offset is not above 0"


def test_a_submission_that_nobody_decides_is_found() -> None:
    system = System()
    system.append(submission_of(payment(1, system.now), system.now))
    assert audit(system.evidence()) == [
        Finding("answers", "t-1: submitted at 6/0 and never decided", "lost")
    ]


def test_a_burst_that_is_not_seen_is_found() -> None:
    system = System()
    system.pay(1)
    system.pay(6, blind=True)
    findings = found(system.evidence())
    assert list(findings) == ["bursts"]
    assert "t-6, sent 10000000 us after t-1 was answered, does not see it" in findings["bursts"][0]


@pytest.mark.parametrize("changes", [{"flags": ["stale_features"]}, {"path": "deadline"}])
def test_a_decision_that_says_that_it_lacks_something_may_lack_a_burst(
    changes: dict[str, Any],
) -> None:
    system = System()
    system.pay(1)
    system.pay(6, blind=True)
    assert found(rewritten(system.evidence(), TransactionScored, "t-6", **changes)) == {}
