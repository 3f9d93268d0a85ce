"""Labels in force: the last of each transaction in the log, in training, read models and states."""

from collections.abc import Iterator, Sequence

import numpy as np

from domain.errors import IntegrityError
from domain.features import Entity, entity_keys
from domain.features.declarations.feature import Aggregation, Feature
from domain.features.engine import blank, finish_and_fold
from domain.features.kernel.arrays import Floats
from domain.features.kernel.row_layout import IS_TRANSACTION, KIND
from domain.features.rows import request_row
from domain.transactions import Transaction
from faults.audit.evidence import Evidence, Finding
from faults.audit.reading import Fact, Life, Reading
from projections.replay.ideal import known_order
from projections.replay.payments import labels_of, uses_of

CHECK = "labels"


def check_labels_in_force(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    last = {name: _last(lives[-1]) for name, lives in reading.lives.items()}
    trained = _trained(reading)
    for name, value in last.items():
        where = f"{name}: the last label in the log is {_shown(value)}"
        # A training set may hold an earlier use of an id where the last is not decided.
        found = trained.get(name, value)
        if len(reading.lives[name]) == 1 and found != value:
            yield Finding(CHECK, f"{where}; training takes {_shown(found)}")
        if evidence.labels is not None and evidence.labels.get(name) != value:
            yield Finding(CHECK, f"{where}; read models show {_shown(evidence.labels.get(name))}")
    if evidence.states is not None:
        yield from _counted(evidence, reading)


def _last(life: Life) -> int | None:
    facts = list(life.labels.values())
    return int(facts[-1].envelope.data.value) if facts else None


def _trained(reading: Reading) -> dict[str, int | None]:
    """The label of each transaction in a training set made of the whole log."""
    events = reading.events
    order = known_order(events)
    rows = events.rows[order]
    wanted = rows[:, KIND] == IS_TRANSACTION
    values = labels_of(rows, uses_of(rows[wanted]))
    names = events.transaction_ids[order][np.flatnonzero(wanted)]
    return {
        name: None if value < 0 else value
        for name, value in zip(names.tolist(), values.tolist(), strict=True)
    }


def _shown(value: int | None) -> str:
    return "none" if value is None else "fraud" if value else "genuine"


def _counted(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    """Frauds as each stored state counts them once all its labels are known."""
    assert evidence.states is not None
    labelled = _by_entity(reading)
    for entity, counting in evidence.features.by_entity.items():
        asked = [f for f in counting if f.aggregation is Aggregation.FRAUD_COUNT]
        keys = [key for key in labelled.get(entity, {}) if (entity, key) in evidence.states]
        if not asked or not keys:
            continue
        labels = [labelled[entity][key] for key in keys]
        times = [max(fact.envelope.known_time for fact in facts) for facts in labels]
        tile = max(feature.window.tile for feature in asked if feature.window)
        # From the tile after the last label on all of them count.
        moments = [time + tile for time in times]
        try:
            values = _finished(evidence, entity, keys, moments)
        except IntegrityError:
            # The check of the states names it.
            continue
        for key, facts, t, row in zip(keys, labels, moments, values, strict=True):
            for feature in asked:
                found = row[evidence.features.names.index(feature.name)]
                wanted = _frauds(facts, t, feature)
                if wanted is not None and found != wanted:
                    what = f"counts {found:g} frauds; by the last labels there are {wanted:g}"
                    yield Finding(CHECK, f"{entity.value} {key!r}: {feature.name} {what}")


def _by_entity(reading: Reading) -> dict[Entity, dict[str, list[Fact]]]:
    """Labels of ids used once, per entity in the order of the log."""
    found: dict[Entity, dict[str, list[Fact]]] = {}
    again: set[tuple[Entity, str]] = set()
    for fact in reading.labels():
        data = fact.envelope.data
        for entity, key in entity_keys(data).items():
            found.setdefault(entity, {}).setdefault(key, []).append(fact)
            used = len(reading.lives.get(data.transaction_id, ()))
            if used > 1 or fact.place in reading.unfoldable:
                again.add((entity, key))
    for entity, key in again:
        del found[entity][key]
    return found


def _finished(
    evidence: Evidence, entity: Entity, keys: Sequence[str], moments: Sequence[int]
) -> Floats:
    assert evidence.states is not None
    asking = [
        request_row(
            Transaction(transaction_id="", timestamp=t, amount=0, currency="EUR", base_amount=0),
            None,
        )
        for t in moments
    ]
    blobs = [evidence.states[entity, key] for key in keys]
    every = np.arange(len(keys), dtype=np.int64)
    out = blank(evidence.features, len(keys))
    rows = np.array(asking, dtype=np.int64)
    finish_and_fold(evidence.features, entity, blobs, every, rows, every, out)
    return out


def _frauds(facts: Sequence[Fact], t: int, feature: Feature) -> float | None:
    """None where the state may hold fewer labels than there are."""
    window, cap = feature.window, feature.cap
    if window is None or cap is None or len(facts) > cap:
        return None
    greatest = max(fact.envelope.known_time for fact in facts)
    oldest = max(t - window.span, greatest - window.horizon) // window.tile
    last = {fact.envelope.data.transaction_id: fact.envelope for fact in facts}
    held = [e for e in last.values() if e.known_time // window.tile >= oldest]
    return float(sum(envelope.data.value for envelope in held))
