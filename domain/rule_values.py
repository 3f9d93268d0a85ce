"""What a rule can see: names with their types, and the values of one transaction.

Features have their own names. Fields of the transaction are `transaction.<field>`; amounts there
are integers in minor units, while the feature `amount` is in units of the base currency. `score`
is the model's, `path` how the decision came about. What is unknown has no value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    names: Iterable[str],
    transaction: Transaction,
    features: FeatureSet,
    vector: list[float | None],
    flags: Iterable[str],
    path: Path,
    score: float,
) -> dict[str, Value]:
    """The value of each of `names` that is known; a function of what the decision records.

    The score of the fallback rules is no probability and so is unknown here.
    """
    places, raised = _places(features), frozenset(flags)
    known: dict[str, Value] = {}
    for name in names:
        place = places.get(name)
        if place is not None:
            number, missing = place
            value: Value | None = vector[number] if raised.isdisjoint(missing) else None
        elif name in _FIELDS:
            value = getattr(transaction, _FIELDS[name][0])
        elif name == "score":
            value = score if path == "full" else None
        else:
            value = path if name == "path" else None
        if value is not None:
            known[name] = value
    return known


@lru_cache(maxsize=16)
def _places(features: FeatureSet) -> dict[str, tuple[int, frozenset[str]]]:
    """By name of a feature its place in the vector, and the flags under which it is unknown."""
    return {
        feature.name: (
            number,
            frozenset() if feature.entity is None else _NOTHING_READ | {f"no_{feature.entity}"},
        )
        for number, feature in enumerate(features.features)
    }
