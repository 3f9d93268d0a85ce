"""Owns the sentence of any reason code for people: policy's words with the features' meanings."""

from __future__ import annotations

from domain.features import CATALOGUE
from domain.policy import words

_MEANINGS = {feature.name: feature.meaning for feature in CATALOGUE.features}


def sentence(code: str) -> str:
    return words(code, _MEANINGS)


def meaning(feature: str) -> str:
    """What a feature says, without a stop; one of another version gets words from its name."""
    return _MEANINGS.get(feature) or feature.replace("_", " ")
