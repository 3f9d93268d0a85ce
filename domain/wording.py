"""Owns the sentence of any reason code for people: policy's words with the features' meanings."""

from __future__ import annotations

from domain.features import CATALOGUE
from domain.policy import words

_MEANINGS = {feature.name: feature.meaning for feature in CATALOGUE.features}


def sentence(code: str) -> str:
    return words(code, _MEANINGS)
