"""Suppressions in a decision: which one silences its alert, if any.

The alert is raised all the same, with the name of the suppression, and nobody is told of it.
"""

import re
from collections.abc import Mapping, Sequence

from domain.events import Suppression, Thresholds, TransactionScored
from domain.policy.exploration import judged
from domain.policy.rules.ruling import RuleSet, ruling
from domain.times import DAY
from domain.transactions import Transaction

ALERTING = ("review", "decline")
"""Outcomes that raise an alert; what exploration let pass raises that of a decline."""

MOST_SUPPRESSIONS = 100
MOST_NAMED = 1_000
"""Ids and names of rules in all suppressions of a set together: they are one record of the log."""
LONGEST = 366 * DAY
"""From the beginning of a suppression to its end."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)


def named_in(suppression: Suppression) -> Mapping[str, Sequence[str]]:
    """What it is about, by the key in files."""
    return {
        "cards": suppression.cards,
        "customers": suppression.customers,
        "merchants": suppression.merchants,
        "devices": suppression.devices,
        "rules": suppression.rules,
    }


def faults_of_suppression(suppression: Suppression) -> list[tuple[str, str]]:
    """(key in the file, what is wrong with it), in words for the file's writer."""
    named = named_in(suppression)
    keys = ", ".join(named)
    checks = [
        ("name", bool(_NAME.fullmatch(suppression.name)), "expected a-z, 0-9, - and _, at most 64"),
        ("until", suppression.begins < suppression.until, "is not after from"),
        ("until", suppression.until - suppression.begins <= LONGEST, "is over a year after from"),
        ("reason", bool(suppression.reason.strip()), "expected words: people ask why"),
        ("owner", bool(suppression.owner.strip()), "expected who answers for it"),
        ("", any(named.values()), f"silences everything: give one of {keys}"),
    ]
    return [(key, text) for key, holds, text in checks if not holds]


def suppression_of(
    decision: TransactionScored, suppressions: Sequence[Suppression], rules: RuleSet | None
) -> str | None:
    """Name of the first in the set that silences the decision's alert, None where none does.

    A pure function of what the decision records and of the policy at the version that it names, so
    that a replay finds the same one.
    """
    if judged(decision.outcome, decision.exploration) not in ALERTING:
        return None
    at = decision.transaction.timestamp
    for each in suppressions:
        if not each.begins <= at < each.until or not _about(each, decision.transaction):
            continue
        if not each.rules or _due_to(each.rules, decision, rules):
            return each.name
    return None


def _about(suppression: Suppression, x: Transaction) -> bool:
    wanted = (
        (suppression.cards, x.card_id),
        (suppression.customers, x.customer_id),
        (suppression.merchants, x.merchant_id),
        (suppression.devices, x.device_id),
    )
    return all(not ids or value in ids for ids, value in wanted)


def _due_to(names: Sequence[str], decision: TransactionScored, rules: RuleSet | None) -> bool:
    applied = decision.rules
    if applied is None or rules is None or applied.version != rules.version:
        return False
    name = decision.transaction.transaction_id
    return due_to(names, rules, applied.fired, name, decision.score, decision.thresholds)


def due_to(
    names: Sequence[str],
    rules: RuleSet,
    fired: Sequence[int],
    transaction_id: str,
    score: float,
    thresholds: Thresholds,
) -> bool:
    """True where one of these rules acted, and without all of them no alert would be raised.

    `fired` numbers the rules that acted; `score` is the model's.
    """
    others = [number for number in fired if rules.rules[number].name not in names]
    if len(others) == len(fired):
        return False
    truths = [number in others for number in range(len(rules.rules))]
    left = ruling(rules, truths, transaction_id)
    return left.outcome(score, thresholds) not in ALERTING
