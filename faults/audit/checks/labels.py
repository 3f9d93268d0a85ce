"""Labels: each acknowledged one is in the log, also one that waited for its transaction."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from commands.labels.label import READER
from domain.errors import IntegrityError
from domain.events import TransactionLabelled, label_event_id
from eventlog.dead_letters import unseal
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Fact, Reading

CHECK = "labels"


def check_labels(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    counting = {fact.envelope.id: fact for fact in reading.labels()}
    yield from _receipts(evidence, counting)
    if evidence.dead_letter_key is not None:
        yield from _early(reading, counting, evidence.dead_letter_key)


def _receipts(evidence: Evidence, counting: Mapping[str, Fact]) -> Iterator[Finding]:
    new: Counter[str] = Counter()
    for answer in evidence.answers:
        if answer.kind != "label" or answer.label_id is None:
            continue
        new[answer.label_id] += not answer.duplicate
        if answer.label_id not in counting:
            yield Finding(
                CHECK, f"{answer.label_id}: acknowledged at {answer.at} and not in the log"
            )
    for label_id, count in new.items():
        if count > 1:
            yield Finding(CHECK, f"{label_id}: {count} receipts say that it was new")


def _early(reading: Reading, counting: Mapping[str, Fact], key: bytes) -> Iterator[Finding]:
    """Labels that were kept until their transaction is known."""
    said = {_said(fact.envelope.data) for fact in counting.values()}
    for letters in reading.letters.values():
        for letter in letters:
            if letter.reader != READER:
                continue
            try:
                kept = json.loads(unseal(letter.sealed, key))
            except (IntegrityError, ValueError):
                yield Finding(CHECK, f"{letter.origin}/{letter.offset}: kept, and cannot be read")
                continue
            name = kept["transaction_id"]
            if name not in reading.lives:
                continue
            reference = kept.get("reference")
            if reference is None:
                found = (name, kept["reporter"], kept["kind"], kept["value"]) in said
            else:
                label_id = label_event_id(TransactionLabelled, name, kept["reporter"], reference)
                found = label_id in counting
            if not found:
                yield Finding(CHECK, f"{name}: a label was kept for it and is not in the log")


def _said(data: TransactionLabelled) -> tuple[str, str, str, int]:
    return data.transaction_id, data.reporter, data.kind, data.value
