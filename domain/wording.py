"""Sentences for reason codes, with the meanings of the features in them."""

from domain.features import CATALOGUE
from domain.policy.reasons import known_codes, words

_MEANINGS = {feature.name: feature.meaning for feature in CATALOGUE.features}


def sentence(code: str) -> str:
    return words(code, _MEANINGS)


def known_sentences() -> dict[str, str]:
    """Of every code that this version can give."""
    return {code: sentence(code) for code in (*known_codes(), *(f"model.{n}" for n in _MEANINGS))}


def meaning(feature: str) -> str:
    """The meaning of a feature, without a full stop; for an unknown one, words from its name."""
    return _MEANINGS.get(feature) or feature.replace("_", " ")
