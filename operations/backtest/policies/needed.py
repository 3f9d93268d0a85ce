"""What of the catalogue policies need: the features that their models take and their rules name."""

from collections.abc import Callable, Iterator, Sequence

from commands.ports import RuleLanguage
from domain.features import CATALOGUE, FeatureSet, Inputs
from domain.policy.rules.tree import Name, walk
from operations.backtest.policies.policy import Policy


def needed_features(
    policies: Sequence[Policy], inputs_of: Callable[[str], Inputs], language: RuleLanguage
) -> FeatureSet:
    """In the order of the catalogue; a value is the same in any set that declares its feature.

    All of the catalogue where a model takes its own set alone. `inputs_of` is asked by the hash of
    a model. Raises what it raises.
    """
    taken = [inputs_of(model_hash) for model_hash in {h for p in policies for h in p.models}]
    if not all(each.definitions for each in taken):
        return CATALOGUE
    names = {name for each in taken for name in each.names} | set(_named(policies, language))
    return FeatureSet(each for each in CATALOGUE.features if each.name in names)


def _named(policies: Sequence[Policy], language: RuleLanguage) -> Iterator[str]:
    sets = {s.rule_set for p in policies for _, s in p.stretches if s.rule_set is not None}
    for rule_set in sets:
        for rule in rule_set.rules:
            tree = language.tree(rule.condition, rule_set.lists)
            yield from (node.name for node in walk(tree) if isinstance(node, Name))
