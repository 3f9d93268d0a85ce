"""Owns the ports of the command handlers; their adapters are wired by runtime."""

from commands.ports.features import FeatureReader, RecentTail, ServedFeatures
from commands.ports.scorer import LoadModel, ModelScorer, Scorer

__all__ = [
    "FeatureReader",
    "LoadModel",
    "ModelScorer",
    "RecentTail",
    "Scorer",
    "ServedFeatures",
]
