"""Memories and indexes of ids: all that lies below their positions, and nothing that the log does
not hold."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from domain.events import (
    Envelope,
    StepUpConcluded,
    TransactionImported,
    TransactionLabelled,
    TransactionScored,
    TransactionSubmitted,
)
from eventlog.admission.first_wins import Known
from faults.audit.evidence import Evidence, Finding, IndexEvidence, MemoryEvidence
from faults.audit.reading import Fact, Life, Reading

CHECK = "memories"


def check_memories(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    newest = [
        max((r.envelope.known_time for r in records if r.envelope is not None), default=0)
        for records in reading.transactions
    ]
    labels = list(reading.labels())
    for memory in evidence.memories:
        wrongs = [
            *_positions(memory, reading.ends),
            *_missing(memory, reading, [at - evidence.horizon for at in newest]),
            *_missing_labels(memory, labels, [at - evidence.horizon for at in newest]),
            *_strange(memory, reading),
            *_strange_labels(memory, labels),
        ]
        yield from (Finding(CHECK, f"{memory.name}: {wrong}") for wrong in wrongs)
    for index in evidence.indexes:
        for wrong in _wrong_index(index, reading):
            yield Finding(CHECK, f"{index.name}, partition {index.partition}: {wrong}")


def _wrong_index(index: IndexEvidence, reading: Reading) -> Iterator[str]:
    if index.position > (end := reading.ends[index.partition]):
        yield f"its position {index.position} is ahead of the log's end {end}"
    named = {
        record.position.offset: _digest(record.envelope)
        for record in reading.transactions[index.partition]
        if record.envelope is not None and _is_remembered(record.envelope)
    }
    for record in reading.transactions[index.partition]:
        offset = record.position.offset
        below = record.status == "counts" and offset in named and offset < index.position
        if below and index.places.get(offset) != named[offset]:
            yield f"{offset} is below its position {index.position}, and it does not know it"
    for offset, name in sorted(index.places.items()):
        if offset < end and named.get(offset) != name:
            yield f"{offset} is not of the id that it says"


def _is_remembered(envelope: Envelope) -> bool:
    return isinstance(
        envelope.data,
        TransactionSubmitted
        | TransactionImported
        | TransactionScored
        | TransactionLabelled
        | StepUpConcluded,
    )


def _digest(envelope: Envelope) -> int:
    hashed = blake2b(envelope.subject.encode(), digest_size=8).digest()
    return int.from_bytes(hashed, "little") - (1 << 63)


def _positions(memory: MemoryEvidence, ends: Sequence[int]) -> Iterator[str]:
    for partition, position in sorted(memory.positions.items()):
        end = ends[partition] if partition < len(ends) else 0
        if position > end:
            yield f"its position {position} of {partition} is ahead of the log's end {end}"


def _missing(memory: MemoryEvidence, reading: Reading, since: Sequence[int]) -> Iterator[str]:
    for name, lives in reading.lives.items():
        life = _below(memory, lives)
        if life is None:
            continue
        known = memory.known.get(name)
        if known is not None:
            # Whether it is right is asked below; here whether it is old.
            if known.origin_offset < life.origin.offset:
                yield f"{name}: it knows the use at {known.origin_offset}, not at {life.origin}"
            elif _lacks_decision(memory, life, known):
                yield f"{name}: it knows no decision, and {life.decision} is below its position"
        elif life.origin.envelope.known_time >= since[life.origin.partition]:
            yield f"{name}: it does not know it, and {life.origin} is below its position"


def _below(memory: MemoryEvidence, lives: Sequence[Life]) -> Life | None:
    """The last use of an id below the memory's position."""
    found = None
    for life in lives:
        if life.origin.offset < memory.positions.get(life.origin.partition, 0):
            found = life
    return found


def _lacks_decision(memory: MemoryEvidence, life: Life, known: Known) -> bool:
    if known.origin_offset != life.origin.offset or life.decision is None:
        return False
    position = memory.positions.get(life.origin.partition, 0)
    return known.scored_offset is None and life.decision.offset < position


def _missing_labels(
    memory: MemoryEvidence, labels: Sequence[Fact], since: Sequence[int]
) -> Iterator[str]:
    below = {
        label.envelope.id: label
        for label in labels
        if label.offset < memory.positions.get(label.partition, 0)
    }
    for name, label in below.items():
        held = memory.labels.get(name)
        if held is not None and held[1] < label.offset:
            yield f"{name}: it knows the one at {held[0]}/{held[1]}, not at {label}"
        elif held is None and label.envelope.known_time >= since[label.partition]:
            yield f"{name}: it does not know it, and {label} is below its position"


def _strange(memory: MemoryEvidence, reading: Reading) -> Iterator[str]:
    for name, known in sorted(memory.known.items()):
        place = known.partition, known.origin_offset
        life = next((e for e in reading.lives.get(name, ()) if e.origin.place == place), None)
        if life is None:
            yield f"{name}: it knows it at {place[0]}/{place[1]}, where the log has no such origin"
            continue
        mode = "import" if life.imported else life.origin.envelope.data.mode
        told = known.digest, known.mode, known.known_time
        if told != (life.digest, mode, life.origin.envelope.known_time):
            yield f"{name}: it knows {told}, which is not what {life.origin} says"
        scored = life.decision.offset if life.decision else None
        if known.scored_offset not in (None, scored):
            yield f"{name}: it knows the decision {known.scored_offset}; the log counts {scored}"


def _strange_labels(memory: MemoryEvidence, labels: Sequence[Fact]) -> Iterator[str]:
    counting = {(label.envelope.id, label.place) for label in labels}
    for name, place in sorted(memory.labels.items()):
        if (name, place) not in counting:
            yield f"{name}: it knows it at {place[0]}/{place[1]}, where no such label counts"
