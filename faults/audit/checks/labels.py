"""Labels: each acknowledged one is in the log, also one that waited for its transaction."""

import json
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence, Set
from typing import Any

from commands.labels.label import READER
from domain.errors import IntegrityError
from domain.events import Envelope, TransactionLabelled, label_event_id
from eventlog.dead_letters import unseal
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Reading

CHECK = "labels"


def check_labels(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    counting = [fact.envelope for fact in reading.labels()]
    kept = yield from _kept(reading, evidence.dead_letter_key)
    waiting = {each["transaction_id"] for each in kept} - reading.lives.keys()
    yield from _receipts(evidence, Counter(envelope.id for envelope in counting), waiting)
    yield from _early(reading, counting, kept)
    yield from _copied(reading)


def _kept(reading: Reading, key: bytes | None) -> Generator[Finding, None, list[Mapping[str, Any]]]:
    """The labels that were set aside until their transaction is known."""
    found: list[Mapping[str, Any]] = []
    for letters in reading.letters.values() if key is not None else ():
        for letter in letters:
            if letter.reader != READER:
                continue
            try:
                found.append(json.loads(unseal(letter.sealed, key or b"")))
            except (IntegrityError, ValueError):
                yield Finding(CHECK, f"{letter.origin}/{letter.offset}: kept, and cannot be read")
    return found


def _receipts(evidence: Evidence, counting: Counter[str], waiting: Set[str]) -> Iterator[Finding]:
    new: Counter[str] = Counter()
    for answer in evidence.answers:
        if answer.kind != "label" or answer.label_id is None:
            continue
        new[answer.label_id] += not answer.duplicate
        if answer.label_id not in counting and answer.transaction_id not in waiting:
            what = f"{answer.label_id}: acknowledged at {answer.at} and not in the log"
            yield Finding(CHECK, what, "lost")
    for label_id, count in new.items():
        # Once in each use of the transaction's id.
        if count > max(counting[label_id], 1):
            yield Finding(CHECK, f"{label_id}: {count} receipts say that it was new", "doubled")


def _early(
    reading: Reading, counting: Sequence[Envelope], kept: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    ids = {envelope.id for envelope in counting}
    said = {_said(envelope.data) for envelope in counting}
    for each in kept:
        name, reporter, reference = each["transaction_id"], each["reporter"], each.get("reference")
        if reference is None:
            found = (name, reporter, each["kind"], each["value"]) in said
        else:
            found = label_event_id(TransactionLabelled, name, reporter, reference) in ids
        if name in reading.lives and not found:
            yield Finding(CHECK, f"{name}: a label was kept for it and is not in the log", "lost")


def _copied(reading: Reading) -> Iterator[Finding]:
    """Features fold a label by what it says of its transaction itself."""
    for lives in reading.lives.values():
        for life in lives:
            x = life.origin.envelope.data.transaction
            for fact in life.labels.values():
                data = fact.envelope.data
                same = {"value": data.value, "kind": data.kind}
                named = {"reporter": data.reporter, "reference": data.reference}
                if data != TransactionLabelled.of(x, **same, **named):
                    yield Finding(
                        CHECK,
                        f"{fact.envelope.id} at {fact}: its keys, amount or time are not those of "
                        f"the transaction at {life.origin}",
                    )


def _said(data: TransactionLabelled) -> tuple[str, str, str, int]:
    return data.transaction_id, data.reporter, data.kind, data.value
