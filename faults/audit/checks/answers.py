"""Answers: what clients were told about transactions is what the log holds, one decision per id."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields

from domain.events import Envelope
from faults.audit.evidence import Answer, Evidence, Finding
from faults.audit.reading import Life, Reading

CHECK = "answers"
_SHOWN = 60


def check_answers(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    for answer in evidence.answers:
        lives = reading.lives.get(answer.transaction_id, ())
        if answer.kind == "scored":
            wrong = _scored(answer, lives)
        elif answer.kind == "submitted":
            wrong = _submitted(answer, lives)
        elif answer.kind == "refused":
            wrong = _refused(answer, lives)
        else:
            continue
        if wrong:
            yield Finding(CHECK, f"{answer.transaction_id}, answered at {answer.at}: {wrong}")
    yield from _claimed_twice(evidence, reading)
    yield from _undecided(reading)


def _scored(answer: Answer, lives: Sequence[Life]) -> str | None:
    counting = [life.decision.envelope for life in lives if life.decision is not None]
    if not counting:
        return "a decision was answered and the log holds none that counts"
    told = answer.decision
    if told is None:
        return None
    if told not in counting:
        return f"the decision answered is not the one that counts: {_differs(told, counting[-1])}"
    if answer.digest not in (None, told.data.digest):
        return "the decision answered was made for other content than was sent"
    return None


def _differs(told: Envelope, counting: Envelope) -> str:
    """The first field in which they differ, of the decision or else of its envelope."""
    wrong = (
        f"{each.name} {_short(getattr(one, each.name))}, in the log "
        f"{_short(getattr(other, each.name, None))}"
        for one, other in ((told.data, counting.data), (told, counting))
        for each in fields(one)
        if getattr(one, each.name) != getattr(other, each.name, None)
    )
    return next(wrong)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _submitted(answer: Answer, lives: Sequence[Life]) -> str | None:
    if not lives:
        return "a receipt was given and the log holds no such submission"
    recorded = {life.digest for life in lives if not life.imported}
    if not recorded:
        return "a receipt was given and the log holds the id as imported history"
    if answer.digest is not None and answer.digest not in recorded:
        return "a receipt was given for other content than the log holds under this id"
    return None


def _refused(answer: Answer, lives: Sequence[Life]) -> str | None:
    if not lives:
        return "refused as a conflict and the log holds nothing under this id"
    if answer.digest is None or any(life.imported for life in lives):
        return None
    if all(life.digest == answer.digest for life in lives):
        return "refused as a conflict and the log holds the same content"
    return None


def _claimed_twice(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    """An id can be new once in each of its uses."""
    new = Counter(
        answer.transaction_id
        for answer in evidence.answers
        if answer.kind == "submitted" and not answer.duplicate
    )
    for transaction_id, count in new.items():
        if count > max(len(reading.lives.get(transaction_id, ())), 1):
            yield Finding(CHECK, f"{transaction_id}: {count} receipts say that it was new")


def _undecided(reading: Reading) -> Iterator[Finding]:
    for transaction_id, lives in reading.lives.items():
        for life in lives:
            if life.decision is None and not life.imported:
                yield Finding(
                    CHECK, f"{transaction_id}: submitted at {life.origin} and never decided"
                )
