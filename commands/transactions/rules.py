"""Rules in a decision: what they see, and what they make of it."""

import logging

from commands.policy.active import ActivePolicy
from commands.ports.features import ServedFeatures
from domain.events import Path, RulesApplied
from domain.policy.rules.ruling import RULES_FAILED, Ruling
from domain.rule_values import apply_rules, known_values, listed_values
from domain.transactions import Transaction

logger = logging.getLogger(__name__)


def applied_rules(
    policy: ActivePolicy,
    transaction: Transaction,
    served: ServedFeatures,
    flags: list[str],
    path: Path,
    score: float,
) -> tuple[Ruling, RulesApplied] | None:
    """None where there are no rules. Where they cannot be evaluated, a flag is added to `flags`."""
    rules, rule_set = policy.rules, policy.snapshot.rules
    if rules is None or rule_set is None:
        return None
    known = known_values(
        rules.names, transaction, served.features, served.values, flags, path, score
    )
    lists = policy.snapshot.lists
    name = transaction.transaction_id
    try:
        listed = listed_values(rules.names, rule_set.lists, lists, transaction)
        return apply_rules(rule_set, rules.truths, known, flags, name, score, listed)
    except Exception:
        # No decision is lost, and the score still decides.
        logger.exception("the rules of version %d cannot be evaluated", rule_set.version)
        flags.append(RULES_FAILED)
        return apply_rules(rule_set, rules.truths, known, flags, name, score)
