"""What a rule can see: names with their types, and the values of one transaction.

Features have their own names. Fields of the transaction are `transaction.<field>`; amounts there
are integers in minor units, while the feature `amount` is in units of the base currency. `score`
is the model's, `path` how the decision came about. What is unknown has no value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from domain.events import Path, RulesApplied
from domain.features import CATALOGUE, FeatureSet
from domain.policy.rules.ruling import RuleSet, Ruling, Truth, Value, ruling
from domain.transactions import Transaction

_FIELDS: dict[str, tuple[str, type[Value]]] = {
    "transaction.amount_minor": ("amount", int),
    "transaction.base_amount_minor": ("base_amount", int),
    "transaction.lat": ("lat", float),
    "transaction.lon": ("lon", float),
    **{
        f"transaction.{name}": (name, str)
        for name in (
            *("currency", "card_id", "card_bin", "card_last4", "customer_id", "merchant_id", "mcc"),
            *("device_id", "ip", "country", "channel"),
        )
    },
}

TYPES: Mapping[str, type[Value]] = {
    **dict.fromkeys(CATALOGUE.names, float),
    **{name: kind for name, (_, kind) in _FIELDS.items()},
    "score": float,
    "path": str,
}
"""By name: float, int or str."""

# Of an entity that is not named, and where nothing was read, the vector holds defaults. A feature
# set may declare some that are no unknowns: a count of 0 is no evidence that nothing happened.
_NOTHING_READ = frozenset({"features_unavailable", "deadline_passed"})

RULES_FAILED = "rules_failed"
"""The flag of a decision whose rules could not be evaluated: none of them acted."""


def apply_rules(
    rule_set: RuleSet,
    truths: Callable[[Mapping[str, Value]], Sequence[Truth]],
    known: Mapping[str, Value],
    flags: Iterable[str],
    transaction_id: str,
    score: float,
) -> tuple[Ruling, RulesApplied]:
    """A pure function of a decision's record, if `truths` is: deciding again gives the same."""
    failed = RULES_FAILED in flags
    found = [None] * len(rule_set.rules) if failed else truths(known)
    made = ruling(rule_set, found, transaction_id)
    return made, made.applied(score, known)


def known_values(
    names: tuple[str, ...],
    transaction: Transaction,
    features: FeatureSet,
    vector: list[float | None],
    flags: Sequence[str],
    path: Path,
    score: float,
) -> dict[str, Value]:
    """The value of each of `names` that is known; a function of what the decision records.

    The score of the fallback rules is no probability and so is unknown here.
    """
    reads = _reads(names, features)
    if _NOTHING_READ.isdisjoint(flags):
        missing = {flag.removeprefix("no_") for flag in flags if flag.startswith("no_")}
    else:
        missing = reads.entities
    known: dict[str, Value] = {
        name: value
        for name, place, entity in reads.features
        if (value := vector[place]) is not None and entity not in missing
    }
    for name, attribute in reads.fields:
        if (value := getattr(transaction, attribute)) is not None:
            known[name] = value
    if "score" in names and path == "full":
        known["score"] = score
    if "path" in names:
        known["path"] = path
    return known


@dataclass(frozen=True, slots=True)
class _Reads:
    """Where names are read: (name, place in the vector, entity) and (name, attribute)."""

    features: list[tuple[str, int, str | None]]
    fields: list[tuple[str, str]]
    entities: set[str]


@lru_cache(maxsize=64)
def _reads(names: tuple[str, ...], features: FeatureSet) -> _Reads:
    wanted = frozenset(names)
    read = [
        (feature.name, place, None if feature.entity is None else feature.entity.value)
        for place, feature in enumerate(features.features)
        if feature.name in wanted
    ]
    fields = [(name, _FIELDS[name][0]) for name in names if name in _FIELDS]
    return _Reads(read, fields, {entity for _, _, entity in read if entity is not None})
