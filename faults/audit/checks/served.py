"""Served vectors: each recorded one follows from the log at its recorded versions."""

from collections.abc import Iterator, Sequence

from domain.errors import IntegrityError
from domain.features import FeatureSet
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Fact, Reading, held_in
from projections.verification.comparing import Compared
from projections.verification.decision_side import Served, compare_served
from projections.verification.log_side import LogSide

CHECK = "served"


def check_served(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    """A decision that names no version of an entity is compared at that entity's defaults."""
    sets = {each.hash: each for each in (evidence.features, *evidence.other_sets)}
    sound: dict[str, list[Fact]] = {each: [] for each in sets}
    for _, fact in reading.decisions():
        wrong = _unsound(fact, sets.get(fact.envelope.data.feature_set), reading.ends)
        if wrong:
            yield Finding(CHECK, f"{fact.envelope.subject} at {fact}: {wrong}")
        else:
            sound[fact.envelope.data.feature_set].append(fact)
    for name, features in sets.items():
        yield from _recomputed(sound[name], features, reading)


def _unsound(fact: Fact, features: FeatureSet | None, ends: Sequence[int]) -> str | None:
    data = fact.envelope.data
    if features is None:
        return f"served with the features {data.feature_set}, which are not in the evidence"
    if len(data.features) != len(features):
        return f"{len(data.features)} values of {len(features)}"
    for entity, text in data.versions.items():
        try:
            held = held_in(text)
        except IntegrityError as error:
            return f"its versions of {entity}: {error}"
        for partition, offset in (*held.upto.items(), *held.beside):
            # A decision is made before its own event is in the log.
            own = partition == fact.partition
            end = fact.offset if own else ends[partition] if partition < len(ends) else 0
            if offset >= end:
                return f"its version of {entity} names {partition}/{offset}, which was not there"
    return None


def _recomputed(facts: Sequence[Fact], features: FeatureSet, reading: Reading) -> Iterator[Finding]:
    if not facts:
        return
    log = LogSide(reading.events, features, [end - 1 for end in reading.ends])
    compared = Compared(CHECK, "log", "decisions")
    served = [Served(fact.partition, fact.offset, fact.envelope.data) for fact in facts]
    compare_served(log, served, compared)
    for each in compared.shown:
        values = f"recorded {each.right}, in the log at its versions {each.left}"
        yield Finding(CHECK, f"{each.subject} at {each.position}: {each.feature} {values}")
    if compared.different > len(compared.shown):
        yield Finding(CHECK, f"and {compared.different - len(compared.shown)} values more")
