"""What policies need: the features that their models take and their rules name."""

from collections.abc import Callable, Iterator, Sequence

from commands.ports import RuleLanguage
from domain.features import CATALOGUE, FeatureSet, Inputs
from domain.policy.rules.tree import Name, walk
from operations.backtest.policies.declared import column_of, columns_of
from operations.backtest.policies.policy import Policy


def needed_features(
    policies: Sequence[Policy], inputs_of: Callable[[str], Inputs], language: RuleLanguage
) -> FeatureSet:
    """In the order of the catalogue; a value is the same in any set that declares its feature.

    All of the catalogue where a model takes its own set alone. What candidates declare comes last,
    under the names of its columns. `inputs_of` is asked by the hash of a model. Raises what it
    raises.
    """
    taken = [inputs_of(model_hash) for model_hash in {h for p in policies for h in p.models}]
    named = set(_named(policies, language))
    # Words and units may differ between two that are laid down once.
    declared = {each.name: each for p in policies for each in map(column_of, p.features)}
    others = [each for name, each in declared.items() if name in named]
    if not all(each.definitions for each in taken):
        return FeatureSet([*CATALOGUE.features, *others]) if others else CATALOGUE
    names = {name for each in taken for name in each.names} | named
    return FeatureSet([*(each for each in CATALOGUE.features if each.name in names), *others])


def _named(policies: Sequence[Policy], language: RuleLanguage) -> Iterator[str]:
    """Names of columns, among others that conditions see."""
    settings = (s for p in policies for s in p.settings)
    sets = {(s.rule_set, s.features): s for s in settings if s.rule_set is not None}
    for (rule_set, features), setting in sets.items():
        own, seen = columns_of(features), setting.language(language)
        assert rule_set is not None
        for rule in rule_set.rules:
            tree = seen.tree(rule.condition, rule_set.lists)
            names = (node.name for node in walk(tree) if isinstance(node, Name))
            yield from (own.get(name, name) for name in names)
