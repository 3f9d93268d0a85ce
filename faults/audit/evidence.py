"""Evidence: what the log, the clients and the stores hold once the system is quiet.

All times are microseconds UTC by one true clock, unless an event states them. Whoever gathers the
evidence waits until nothing moves any more: the audit takes every difference for a fault.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal

from domain.events import Envelope
from domain.features import CATALOGUE, Entity, FeatureSet
from domain.times import DAY, MINUTE
from eventlog.admission.first_wins import Known
from eventlog.port import Recorded
from projections.online.port import Markers
from projections.ports import Counts, RecordStatus

Harm = Literal["lost", "doubled", "wrong"]
AnswerKind = Literal["scored", "submitted", "label", "refused", "unavailable"]
Place = tuple[int, int]
"""(partition, offset)"""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`check` names the rule that is broken; `what` is one line that names where and how.

    `harm`: what was acknowledged is not there, or is there twice; `wrong` is all else.
    """

    check: str
    what: str
    harm: Harm = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A decision as the API shows it to a client."""

    score: float
    outcome: str
    reasons: tuple[str, ...]
    path: str
    flags: tuple[str, ...]
    model_id: str
    policy_version: int
    known_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request was told; a request that got no answer is `unavailable`.

    `sent` and `at` are when it left the client and when the answer came. `decision` is the
    recorded event that a `scored` answer stands for, `shown` what it showed, where only that is
    known. `label_id` and `duplicate` are of a `label`;
    `duplicate` is also the `recorded` of a `submitted`. `refused` is a conflict: the id belongs to
    other content. `digest` is the keyed digest of what was sent, None where it is not known.
    """

    kind: AnswerKind
    transaction_id: str
    sent: int
    at: int
    decision: Envelope | None = None
    shown: Shown | None = None
    label_id: str | None = None
    duplicate: bool = False
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One request to the receiver of alerts; `key` is its Idempotency-Key. `taken`: it was
    answered with 2xx."""

    key: str
    at: int
    taken: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorRow:
    """A row of the offline vectors: `known` in microseconds, `values` None or NaN for unknown."""

    known: int
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionEvidence:
    """How far a reader of one topic has come; `reader` is its name in dead letters.

    `positions` are the offsets of the next records by partition, `counts` what each partition's
    records added up to (None where the store keeps no counts), `statuses` those of the records
    where the store keeps them. `unfoldable` are records that can be decoded and that this reader
    is right to set aside.
    """

    reader: str
    topic: str
    positions: Mapping[int, int]
    counts: Mapping[int, Counts] | None = None
    statuses: Mapping[Place, RecordStatus] = field(default_factory=dict)
    unfoldable: Set[Place] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryEvidence:
    """The memory of ids of one process; `positions` are the next offsets by partition.

    A partition that was forgotten has none. `labels` are the places of labels by event id, of one
    that was said again of an id used again the last.
    """

    name: str
    positions: Mapping[int, int]
    known: Mapping[str, Known] = field(default_factory=dict)
    labels: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEvidence:
    """The index of ids of one process, of one partition of the transactions: its next offset, and
    by offset of a record the digest of the id that it is about."""

    name: str
    partition: int
    position: int
    places: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All records of a topic are given by partition, in the order of their offsets.

    `now` is when the evidence was gathered. `inbox_digests` are those of the records of
    the inbox that can be cleaned. `dead_letter_key` opens the dead letters; without it their
    originals are not compared. `features` is the set of the live states, `other_sets` are
    those that decisions were served with besides. `labels` is the label in force by transaction
    id, as a read model keeps it (None: it is not part of the evidence); `vectors`, `states` and
    `posts` likewise. `imported` are the ids that an import says it has
    recorded. `horizon` bounds the memory of ids. For `repeats` after a delivery was
    recorded its alert may still be posted, by a process that has not read that yet.
    """

    now: int
    transactions: Sequence[Sequence[Recorded]]
    alerts: Sequence[Sequence[Recorded]] = ()
    dead_letters: Sequence[Recorded] = ()
    inbox: Sequence[Sequence[Recorded]] = ()
    inbox_digests: Mapping[Place, str] = field(default_factory=dict)
    answers: Sequence[Answer] = ()
    imported: Sequence[str] = ()
    posts: Sequence[Post] | None = None
    features: FeatureSet = CATALOGUE
    other_sets: Sequence[FeatureSet] = ()
    states: Mapping[tuple[Entity, str], bytes] | None = None
    markers: Markers | None = None
    vectors: Mapping[str, VectorRow] | None = None
    read_models: Mapping[str, ProjectionEvidence] = field(default_factory=dict)
    labels: Mapping[str, int] | None = None
    memories: Sequence[MemoryEvidence] = ()
    indexes: Sequence[IndexEvidence] = ()
    dead_letter_key: bytes | None = None
    horizon: int = 400 * DAY
    repeats: int = 2 * MINUTE
