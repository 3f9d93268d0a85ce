"""Bursts: what is sent once another of the same card has been answered sees that other one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from domain.errors import IntegrityError
from domain.features import Entity, FeatureSet, entity_keys
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Fact, Reading, held_in

CHECK = "bursts"
_INCOMPLETE = {"stale_features", "features_rebuilding", "features_unavailable"}


@dataclass(frozen=True, slots=True)
class _Decided:
    """`sent` is when the first attempt left, `answered` when the first one was answered."""

    fact: Fact
    keys: Mapping[Entity, str]
    sent: int
    answered: int


def check_bursts(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    """Left out are decisions that say themselves that they did not see all: flagged, or not made
    in full. All entities that the two have in common are to show it."""
    sets = {each.hash: each for each in (evidence.features, *evidence.other_sets)}
    for card in _by_card(evidence, reading):
        for later in card:
            data = later.fact.envelope.data
            features = sets.get(data.feature_set)
            if features is None or data.path != "full" or _INCOMPLETE & set(data.flags):
                continue
            for earlier in card:
                if earlier.answered < later.sent and earlier.fact is not later.fact:
                    yield from _unseen(earlier, later, features)


def _by_card(evidence: Evidence, reading: Reading) -> list[list[_Decided]]:
    sent: dict[str, int] = {}
    answered: dict[str, int] = {}
    for answer in evidence.answers:
        name = answer.transaction_id
        sent[name] = min(answer.sent, sent.get(name, answer.sent))
        if answer.kind == "scored":
            answered[name] = min(answer.at, answered.get(name, answer.at))
    cards: dict[str, list[_Decided]] = {}
    for _, fact in reading.decisions():
        name, x = fact.envelope.subject, fact.envelope.data.transaction
        # Of an id that is used again it is not known which use an answer was about.
        if x.card_id is not None and name in sent and len(reading.lives[name]) == 1:
            first = answered.get(name, evidence.now)
            cards.setdefault(x.card_id, []).append(
                _Decided(fact, entity_keys(x), sent[name], first)
            )
    return list(cards.values())


def _unseen(earlier: _Decided, later: _Decided, features: FeatureSet) -> Iterator[Finding]:
    versions = later.fact.envelope.data.versions
    for entity in features.entities:
        if entity not in later.keys or later.keys[entity] != earlier.keys.get(entity):
            continue
        try:
            held = held_in(versions.get(entity.value, ""))
        except IntegrityError:
            # The check of what was served names it.
            continue
        if not held.holds(earlier.fact.partition, earlier.fact.offset):
            yield Finding(
                CHECK,
                f"{later.fact.envelope.subject}, sent {later.sent - earlier.answered} us after "
                f"{earlier.fact.envelope.subject} was answered, does not see it: it holds of "
                f"{entity.value} {held}, and it is at {earlier.fact}",
            )
