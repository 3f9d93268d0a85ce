"""Live decisions of the period's payments as columns, and the features that they were served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.events import Exploration
from domain.features import FeatureSet
from domain.features.kernel.arrays import Floats, Ints
from domain.policy.exploration import LETS_PASS
from domain.policy.rules.ruling import FAMILY
from domain.policy.thresholds import SEVERITY
from domain.rule_values import NOTHING_READ
from eventlog.codec import Carried
from projections.replay.rules import Bools
from projections.replay.transactions import Texts

NOT_DECIDED = -2
"""In place of a policy version: -1 is that of decisions before any policy."""

TOLD = tuple(
    f"decided.{name}"
    for name in ("path", "flags", "model", "fingerprint", "reasons", "suppressed", "explored")
)
"""Columns of texts; reasons are those of rules, paths and exploration, and not the model's."""
NUMBERS: Mapping[str, pa.DataType] = {
    "decided.version": pa.int64(),
    "decided.score": pa.float64(),
    "decided.outcome": pa.int8(),
    "decided.served": pa.bool_(),
}
_KINDS = {**NUMBERS, **dict.fromkeys(TOLD, pa.string())}
STALE, STALE_VALUE = "decided.stale", "decided.stale_value"
SERVED = "served"

_OURS = "path.", f"{FAMILY}."
# In a vector as served: its set did not have the feature. No decision records an infinite value.
_LACKING = np.inf


@dataclass(frozen=True, slots=True)
class Serving:
    """Of the vectors that live decisions were served: `sets` by hash are those that they may be of,
    and where `taken` they stand in place of the ideal ones, as do the paths of the decisions."""

    sets: Mapping[str, FeatureSet]
    taken: bool = False


@dataclass(frozen=True, slots=True)
class RecordedDecisions:
    """What was decided live, arrays [transactions]; `versions` are of the policy, NOT_DECIDED where
    nothing was, and all else is then of no meaning.

    `served` tells whose vector was served and can be read. `stale` is the place of the first
    feature that was served as another value than the ideal one, -1 for none, and `stale_values`
    that value. `taken` where a backtest decides by what was served and by the path of then.
    """

    versions: Ints
    scores: Floats
    outcomes: npt.NDArray[np.int8]
    served: Bools
    stale: Ints
    stale_values: Floats
    texts: Mapping[str, Texts]
    taken: bool = False

    @property
    def made(self) -> Bools:
        """Whether each was decided live."""
        found: Bools = self.versions != NOT_DECIDED
        return found

    def text(self, name: str, rows: Ints) -> npt.NDArray[Any]:
        """One of `path`, `flags`, `model`, `fingerprint`, `reasons`, `suppressed`, `explored`."""
        return np.asarray(self.texts[f"decided.{name}"].column(rows).values)

    def paths(self, rows: Ints) -> npt.NDArray[Any]:
        """By which each is to be decided, nothing where its policy says it."""
        if not self.taken:
            return np.full(len(rows), "", dtype=object)
        return self.text("path", rows)

    def read(self, rows: Ints) -> Bools:
        """Whether features of entities are known to rules, where these are served."""
        flags = self.texts["decided.flags"]
        known = [not self.taken or NOTHING_READ.isdisjoint(each.split()) for each in flags.values]
        found: Bools = np.array([*known, True])[flags.codes[rows]]
        return found

    def take(self, rows: Ints) -> RecordedDecisions:
        texts = {name: Texts(each.codes[rows], each.values) for name, each in self.texts.items()}
        return RecordedDecisions(
            self.versions[rows],
            self.scores[rows],
            self.outcomes[rows],
            self.served[rows],
            self.stale[rows],
            self.stale_values[rows],
            texts,
            self.taken,
        )


def none_decided(number: int) -> RecordedDecisions:
    """Of so many payments."""
    no = np.full(number, -1, dtype=np.int64)
    return RecordedDecisions(
        versions=np.full(number, NOT_DECIDED, dtype=np.int64),
        scores=np.zeros(number),
        outcomes=np.zeros(number, dtype=np.int8),
        served=np.zeros(number, dtype=bool),
        stale=no,
        stale_values=np.zeros(number),
        texts={name: Texts(no, []) for name in TOLD},
    )


def with_decided(
    payments: pa.Table, decided: Sequence[Carried | None], sets: Mapping[str, FeatureSet]
) -> pa.Table:
    """The payments with the columns of what was decided live of each."""
    if any(each is not None for each in decided):
        rows = [_told(each, sets) for each in decided]
        found = pa.Table.from_pylist(rows, schema=pa.schema(_KINDS.items()))
    else:
        # Imported history: nothing of it is looked at one by one.
        found = pa.table({name: pa.nulls(len(decided), kind) for name, kind in _KINDS.items()})
    for name in found.column_names:
        column = found[name]
        payments = payments.append_column(
            name, column.dictionary_encode() if name in TOLD else column
        )
    return payments


def _told(each: Carried | None, sets: Mapping[str, FeatureSet]) -> dict[str, Any]:
    if each is None:
        return {}
    found = {
        "version": each.policy_version,
        "score": each.score,
        "outcome": SEVERITY.index(each.outcome),
        "served": is_served(each, sets),
        "path": each.path,
        "flags": " ".join(each.flags),
        "model": each.model_hash,
        "fingerprint": each.fingerprint,
        "reasons": " ".join(_of_rules(each.reasons)),
        "suppressed": each.suppressed_by,
        "explored": explored_text(each.exploration),
    }
    return {f"decided.{name}": value for name, value in found.items()}


def _of_rules(reasons: Sequence[str]) -> list[str]:
    return [each for each in reasons if each == LETS_PASS or each.startswith(_OURS)]


def explored_text(exploration: Exploration | None) -> str | None:
    """None of a payment that did not come under exploration."""
    if exploration is None:
        return None
    return f"{'passed' if exploration.explored else 'declined'} at {exploration.share}"


def is_served(each: Carried, sets: Mapping[str, FeatureSet]) -> bool:
    """Whether features were read for it, of a set that is known here."""
    known = sets.get(each.feature_set)
    read = NOTHING_READ.isdisjoint(each.flags)
    return known is not None and read and len(each.features) == len(known)


def served_vectors(
    decided: Sequence[Carried | None], features: FeatureSet, sets: Mapping[str, FeatureSet]
) -> Floats:
    """[decisions that were served, features], in the order of `decided`, NaN for unknown."""
    served = [each for each in decided if each is not None and is_served(each, sets)]
    made = np.full((len(served), len(features)), _LACKING)
    hashes = np.array([each.feature_set for each in served], dtype=object)
    for name in set(hashes.tolist()):
        rows = np.flatnonzero(hashes == name)
        places = _places(features, sets[name])
        vectors = np.array([served[row].features for row in rows.tolist()], dtype=np.float64)
        taken = np.flatnonzero(places >= 0)
        made[np.ix_(rows, taken)] = vectors[:, places[taken]]
    return made


def _places(features: FeatureSet, recorded: FeatureSet) -> Ints:
    """Of each feature its place in a recorded vector, -1 where that has none of its definition."""
    held = {each.definition: place for place, each in enumerate(recorded.features)}
    return np.array([held.get(each.definition, -1) for each in features.features], dtype=np.int64)


def take_served(
    values: Floats, rows: Ints, served: Floats, *, taken: bool
) -> dict[str, npt.NDArray[Any]]:
    """What parts the vectors `served` to `rows` from the ideal `values`, which they replace where
    they are `taken`."""
    number = len(values)
    stale, told = np.full(number, -1, dtype=np.int64), np.zeros(number)
    if len(rows) and served.shape[1]:
        ideal = values[rows]
        lacking = np.isposinf(served)
        other = ~lacking & ~same_bits(ideal, served)
        first = other.argmax(axis=1)
        behind = other.any(axis=1)
        stale[rows[behind]] = first[behind]
        told[rows[behind]] = served[behind, first[behind]]
        if taken:
            values[rows] = np.where(lacking, ideal, served)
    return {STALE: stale, STALE_VALUE: told}


def same_bits(a: Floats, b: Floats) -> Bools:
    """Or both are unknown."""
    one, other = np.ascontiguousarray(a), np.ascontiguousarray(b)
    same: Bools = one.view(np.int64) == other.view(np.int64)
    return same | (np.isnan(one) & np.isnan(other))


def served_in(
    folder: Path, names: Sequence[str], tables: Sequence[pa.Table], bounds: Sequence[Sequence[int]]
) -> tuple[Ints, Floats]:
    """(rows, vectors) of what was served, of the rows a to b of each block, one after the other."""
    rows, vectors, begin = [np.zeros(0, dtype=np.int64)], [], 0
    for name, table, (a, b) in zip(names, tables, bounds, strict=True):
        served = np.flatnonzero(table["decided.served"].fill_null(False).to_numpy())
        low, high = np.searchsorted(served, [a, b]).tolist()
        if low < high:
            rows.append(served[low:high] - a + begin)
            held = np.load(folder / f"{name}.{SERVED}.npy", mmap_mode="r")
            vectors.append(held[low:high])
        begin += b - a
    found: Floats = np.concatenate(vectors) if vectors else np.zeros((0, 0))
    return np.concatenate(rows), found
