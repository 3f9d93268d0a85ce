"""Ports of the command handlers. Their adapters are bound in runtime/composition."""

from commands.ports.features import FeatureReader, ServedFeatures
from commands.ports.rules import CompiledRules, ConditionFault, RuleLanguage
from commands.ports.scorer import LoadModel, ModelScorer, Scorer

__all__ = [
    "CompiledRules",
    "ConditionFault",
    "FeatureReader",
    "LoadModel",
    "ModelScorer",
    "RuleLanguage",
    "Scorer",
    "ServedFeatures",
]
