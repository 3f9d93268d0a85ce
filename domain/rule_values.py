"""What a rule can see: names with their types, and the values of one transaction.

Features have their own names. Fields of the transaction are `transaction.<field>`; amounts there
are integers in minor units, while the feature `amount` is in units of the base currency. `score`
is the model's, `path` how the decision came about. `lists.<name>` is whether the transaction is on
that list at its time, of a list of names how like the likest entry is. What is unknown has no
value.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from domain.events import DeclaredList, ListKind, Path, RulesApplied
from domain.features import CATALOGUE, FeatureSet
from domain.policy.lists.published import Lists
from domain.policy.rules.ruling import RULES_FAILED, RuleSet, Ruling, Truth, Value, ruling
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

LISTED_FIELDS: Mapping[ListKind, str] = {
    "card": "card_id",
    "customer": "customer_id",
    "merchant": "merchant_id",
    "device": "device_id",
    "ip": "ip",
    "country": "country",
    "bin": "card_bin",
}
"""The field that a list of a kind is about; of other kinds the list names an attribute."""


def list_types(lists: Iterable[DeclaredList]) -> dict[str, type[Value]]:
    """By name, as `TYPES`."""
    return {f"lists.{each.name}": float if each.of == "name" else bool for each in lists}


# Of an entity that is not named, and where nothing was read, the vector holds defaults. A feature
# set may declare some that are no unknowns: a count of 0 is no evidence that nothing happened.
NOTHING_READ = frozenset({"features_unavailable", "deadline_passed"})
"""Flags of decisions whose vector is defaults alone."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What lists say of a transaction, by their names in conditions.

    `values` are those that are known, `entries` those that matched. `versions` are of the lists
    that have any, by their own names.
    """

    values: dict[str, Value] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


def apply_rules(
    rule_set: RuleSet,
    truths: Callable[[Mapping[str, Value]], Sequence[Truth]],
    known: Mapping[str, Value],
    flags: Iterable[str],
    transaction_id: str,
    score: float,
    listed: Listed | None = None,
) -> tuple[Ruling, RulesApplied]:
    """A pure function of a decision's record, if `truths` is: deciding again gives the same."""
    if RULES_FAILED in flags:
        found: Sequence[Truth] = [None] * len(rule_set.rules)
    else:
        found = truths({**known, **listed.values} if listed else known)
    made = ruling(rule_set, found, transaction_id)
    seen = listed or Listed()
    return made, made.applied(score, known, seen.entries, seen.versions)


def listed_values(
    names: Container[str], declared: Iterable[DeclaredList], lists: Lists, transaction: Transaction
) -> Listed:
    """Of each of `names` that is a list; a pure function. Without entries nothing is listed."""
    found = Listed()
    for each in declared:
        name = f"lists.{each.name}"
        if name not in names:
            continue
        published = lists.in_force.get(each.name)
        if published is not None:
            found.versions[each.name] = published.version
        text = looked_up(each, transaction)
        if text is None:
            continue
        if published is None:
            found.values[name] = 0.0 if each.of == "name" else False
            continue
        found.values[name], entry = published.match(text, transaction.timestamp)
        if entry is not None:
            found.entries[name] = entry
    return found


def looked_up(declared: DeclaredList, transaction: Transaction) -> str | None:
    """The text that is sought in the list; None where the transaction has none."""
    attribute = LISTED_FIELDS.get(declared.of)
    if attribute is not None:
        found: str | None = getattr(transaction, attribute)
        return found
    text = transaction.attributes.get(declared.attribute or "")
    return text if isinstance(text, str) and text.strip() else None


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
    if NOTHING_READ.isdisjoint(flags):
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
