"""Reason codes of decisions and their words.

A code is `family.name`. Families: `model` (a feature that raised the score), `rule` (a fallback
rule), `path` (why the model did not decide), `flag` (what was missing), `exploration`, `score`.
"""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "rule.huge_amount": "The amount is very large.",
    "rule.large_amount": "The amount is large.",
    "rule.large_cash": "A large amount of cash is withdrawn.",
    "rule.risky_category": "The merchant's category is often used to turn cards into cash.",
    "rule.card_absent": "The card was not present.",
    "rule.probe_amount": "The amount is so small that it may probe whether the card works.",
    "rule.no_customer": "Neither the card nor the customer is known.",
    "path.fallback": "The model or its features were not available, so fallback rules decided.",
    "path.deadline": "The features or the model came too late, so fallback rules decided.",
    "exploration.passed": "It would have been declined; a small share of these is let pass.",
    "score.unremarkable": "Nothing about the transaction stands out.",
}

_FLAGS: Mapping[str, str] = {
    "no_card": "No card was given.",
    "no_payer": "Neither a customer nor a card was given.",
    "no_customer": "No customer was given.",
    "no_merchant": "No merchant was given.",
    "no_device": "No device was given.",
    "no_ip": "No IP address was given.",
    "no_payer_merchant": "No one who pays or no merchant was given.",
    "no_payer_device": "No one who pays or no device was given.",
    "no_customer_merchant": "No customer or no merchant was given.",
    "no_customer_device": "No customer or no device was given.",
    "placeholder_card": "The card id stands for nobody and was not used.",
    "placeholder_customer": "The customer id stands for nobody and was not used.",
    "placeholder_merchant": "The merchant id stands for nobody and was not used.",
    "placeholder_device": "The device id stands for nobody and was not used.",
    "no_position": "The coordinates 0, 0 are no position and were not used.",
    "stale_features": "The stored features lag behind the log.",
    "features_rebuilding": "The stored features are being rebuilt.",
    "features_unavailable": "The feature store did not answer.",
    "deadline_passed": "The features did not arrive in time.",
    "no_model": "No model is in force.",
    "model_refuses_features": "The model in force was trained on other features.",
    "model_late": "The model's server did not answer in time.",
    "model_unavailable": "The model's server did not answer.",
    "model_failed": "The model could not score the transaction.",
}


def known_codes() -> list[str]:
    """Every code but those of the family `model`, which has one per feature."""
    return [*SENTENCES, *(f"flag.{name}" for name in _FLAGS)]


def words(code: str, features: Mapping[str, str] | None = None) -> str:
    """One sentence for any code; `features` maps a feature's name to its meaning without a stop.

    Codes of versions before or after this one get words from their name.
    """
    if code in SENTENCES:
        return SENTENCES[code]
    family, _, name = code.partition(".")
    if family == "model":
        said = (features or {}).get(name) or name.replace("_", " ")
        return f"Unusual for a genuine payment: {said}."
    if family == "flag" and name in _FLAGS:
        return _FLAGS[name]
    return f"{(name or code).replace('_', ' ').replace('.', ' ').capitalize()}."
