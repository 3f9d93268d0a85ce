"""Ports of the command handlers. Their adapters are bound in runtime/composition."""

from commands.ports.features import FeatureReader, ServedFeatures
from commands.ports.scorer import LoadModel, ModelScorer, Scorer

__all__ = ["FeatureReader", "LoadModel", "ModelScorer", "Scorer", "ServedFeatures"]
