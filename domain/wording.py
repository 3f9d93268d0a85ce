"""Sentences for reason codes, with the meanings of the features in them."""

from collections.abc import Iterable, Mapping

from domain.events import TransactionScored
from domain.features import CATALOGUE
from domain.policy.reasons import known_codes, words
from domain.policy.rules.rule_set import sentences_of

_MEANINGS = {feature.name: feature.meaning for feature in CATALOGUE.features}


def sentence(code: str) -> str:
    return words(code, _MEANINGS)


def told(decision: TransactionScored) -> dict[str, str]:
    """Sentences of its reasons by code; those of published rules in their own words."""
    return sentences(decision.reasons, sentences_of(decision.rules))


def sentences(codes: Iterable[str], own: Mapping[str, str] | None) -> dict[str, str]:
    """By code; `own` are those of published rules."""
    said = own or {}
    return {code: said.get(code) or sentence(code) for code in codes}


def known_sentences() -> dict[str, str]:
    """Of every code that this version can give."""
    return {code: sentence(code) for code in (*known_codes(), *(f"model.{n}" for n in _MEANINGS))}


def meaning(feature: str) -> str:
    """The meaning of a feature, without a full stop; for an unknown one, words from its name."""
    return _MEANINGS.get(feature) or feature.replace("_", " ")
