"""What would have changed the outcome: the search over one decision, and its proofs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from domain.cleaning.countries import ALPHA2
from domain.events import Outcome
from domain.features import Entity, entity_keys
from domain.features.events import code
from domain.features.kernel.row_layout import BIAS, COUNTRY, IS_TRANSACTION, KIND, PRESENT
from domain.money.shown import shown_amount
from domain.times import to_rfc3339
from domain.transactions import Transaction
from eventlog.events_table import EventTable
from operations.explain.again import Again
from operations.explain.changes import Change, Input, amounts, entries, others, waits
from operations.explain.histories import Histories, History
from operations.explain.nearest import Counterfactual, Search
from operations.explain.told import ToldChange, ToldCounterfactual, ToldCounterfactuals

_USED = {"device_id": Entity.DEVICE, "ip": Entity.IP, "merchant_id": Entity.MERCHANT}


def usual_of(
    events: EventTable, read: Mapping[Entity, History], transaction: Transaction
) -> dict[str, str]:
    """By field the value that who pays used most in payments before; of equal ones the last."""
    history = read.get(Entity.PAYER)
    if history is None:
        return {}
    at = history.at[events.rows[history.at, KIND] == IS_TRANSACTION]
    found: dict[str, str] = {}
    for name, entity in _USED.items():
        texts = events.keys[entity]
        numbers = events.codes[entity][at].tolist()
        used = _most((texts[n] for n in numbers if n >= 0), getattr(transaction, name))
        found |= {name: used} if used is not None else {}
    placed = at[(events.rows[at, PRESENT] >> COUNTRY & 1) != 0]
    digests = events.rows[placed, COUNTRY].tolist()
    countries = {code(each) - BIAS: each for each in ALPHA2}
    used = _most((countries[d] for d in digests if d in countries), transaction.country)
    return found | ({"country": used} if used is not None else {})


def _most(values: Iterable[str], own: str | None) -> str | None:
    """None where the payment has none, or has the only one."""
    if own is None:
        return None
    counts = Counter(value for value in values if value != own)
    last = {value: number for number, value in enumerate(counts)}
    return max(counts, key=lambda value: (counts[value], last[value]), default=None)


def other_keys(transaction: Transaction, usual: Mapping[str, str]) -> list[tuple[Entity, str]]:
    """Whom the payment would name with one of these values, and does not."""
    own = set(entity_keys(transaction).items())
    named = (entity_keys(replace(transaction, **{n: v})).items() for n, v in usual.items())  # type: ignore[arg-type]
    return sorted({each for keys in named for each in keys} - own)


def counterfactuals(
    again: Again,
    histories: Histories,
    usual: dict[str, str],
    was: Outcome,
    checked: Callable[[], None],
) -> ToldCounterfactuals:
    """Each found one is decided again as a whole. Raises UnavailableError of a model server."""
    transaction, lists = histories.transaction, again.policy.lists

    def decide(given: Input) -> Outcome:
        checked()
        vector = histories.vector(given.transaction)
        return again.outcome(given.transaction, vector, given.lists)

    if decide(Input(transaction, lists)) != was:
        return ToldCounterfactuals([], 1, "this version decides otherwise without any change")
    search = Search(Input(transaction, lists), was, decide)
    declared = [
        each
        for each in (again.rule_set.lists if again.rule_set else ())
        if again.rules is not None and f"lists.{each.name}" in again.rules.names
    ]
    plain: list[Change] = [*others(transaction, usual), *entries(transaction, declared, lists)]
    scales = [*amounts(transaction, _amount), waits(transaction, _time)]
    found = search.run(scales, plain)
    proven = [_proven(each, again, histories, search.given) for each in found]
    note = "" if proven else "nothing that was tried changes the outcome"
    return ToldCounterfactuals(proven, search.tried, note)


def _proven(
    found: Counterfactual, again: Again, histories: Histories, given: Input
) -> ToldCounterfactual:
    for change in found.changes:
        given = change.make(given)
    vector = histories.vector(given.transaction)
    trial = again.take(given.transaction, vector, given.lists)
    told = [ToldChange(each.what, each.by, each.before, each.after) for each in found.changes]
    return ToldCounterfactual(told, trial.outcome, trial.score, trial.reasons)


def _amount(transaction: Transaction) -> str:
    return (
        f"{shown_amount(transaction.amount, transaction.currency)['amount']} {transaction.currency}"
    )


def _time(transaction: Transaction) -> str:
    return to_rfc3339(transaction.timestamp)
