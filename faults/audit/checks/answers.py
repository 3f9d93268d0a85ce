"""Answers: what clients were told about transactions is what the log holds, one decision per id."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from domain.events import Envelope
from faults.audit.evidence import Answer, Evidence, Finding, Harm, Shown
from faults.audit.reading import Life, Reading

CHECK = "answers"
_SHOWN = 60
_Wrong = tuple[str, Harm]


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
            what, harm = wrong
            yield Finding(CHECK, f"{answer.transaction_id}, answered at {answer.at}: {what}", harm)
    yield from _claimed_twice(evidence, reading)
    yield from _imported(evidence, reading)
    yield from _undecided(reading)


def _scored(answer: Answer, lives: Sequence[Life]) -> _Wrong | None:
    counting = [life.decision.envelope for life in lives if life.decision is not None]
    if not counting:
        return "a decision was answered and the log holds none that counts", "lost"
    differs = None
    if answer.decision is not None and answer.decision not in counting:
        differs = _differs(answer.decision, counting[-1])
    shown = answer.shown
    if shown is not None and shown not in map(_shown, counting):
        differs = _first_other(shown, _shown(counting[-1]))
    if differs:
        return f"the decision answered is not the one that counts: {differs}", "doubled"
    told = answer.decision or (counting[-1] if shown is not None else None)
    if told is not None and answer.digest not in (None, told.data.digest):
        return "the decision answered was made for other content than was sent", "wrong"
    return None


def _shown(envelope: Envelope) -> Shown:
    data = envelope.data
    return Shown(
        score=data.score,
        outcome=data.outcome,
        reasons=tuple(data.reasons),
        path=data.path,
        flags=tuple(data.flags),
        model_id=data.model_id,
        policy_version=data.policy_version,
        known_time=envelope.known_time,
    )


def _differs(told: Envelope, counting: Envelope) -> str:
    """The first field in which they differ, of the decision or else of its envelope."""
    pairs = (told.data, counting.data), (told, counting)
    return next(filter(None, (_first_other(*pair) for pair in pairs)))


def _first_other(told: Any, counting: Any) -> str | None:
    wrong = (
        f"{each.name} {_short(getattr(told, each.name))}, in the log "
        f"{_short(getattr(counting, each.name, None))}"
        for each in fields(told)
        if getattr(told, each.name) != getattr(counting, each.name, None)
    )
    return next(wrong, None)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _submitted(answer: Answer, lives: Sequence[Life]) -> _Wrong | None:
    if not lives:
        return "a receipt was given and the log holds no such submission", "lost"
    recorded = {life.digest for life in lives if not life.imported}
    if not recorded:
        return "a receipt was given and the log holds the id as imported history", "wrong"
    if answer.digest is not None and answer.digest not in recorded:
        return "a receipt was given for other content than the log holds under this id", "wrong"
    return None


def _refused(answer: Answer, lives: Sequence[Life]) -> _Wrong | None:
    if not lives:
        return "refused as a conflict and the log holds nothing under this id", "wrong"
    if answer.digest is None or any(life.imported for life in lives):
        return None
    if all(life.digest == answer.digest for life in lives):
        return "refused as a conflict and the log holds the same content", "wrong"
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
            what = f"{transaction_id}: {count} receipts say that it was new"
            yield Finding(CHECK, what, "doubled")


def _imported(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    for transaction_id in evidence.imported:
        if transaction_id not in reading.lives:
            what = f"{transaction_id}: an import has recorded it and the log does not hold it"
            yield Finding(CHECK, what, "lost")


def _undecided(reading: Reading) -> Iterator[Finding]:
    for transaction_id, lives in reading.lives.items():
        for life in lives:
            if life.decision is None and not life.imported:
                what = f"{transaction_id}: submitted at {life.origin} and never decided"
                yield Finding(CHECK, what, "lost")
