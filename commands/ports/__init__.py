"""Owns the ports of the command handlers; their adapters are wired by runtime."""

from commands.ports.features import FeatureReader, RecentTail, ServedFeatures
from commands.ports.scorer import Scorer

__all__ = ["FeatureReader", "RecentTail", "Scorer", "ServedFeatures"]
