"""Amounts as answers show them: in the unit of requests, with the stored integer beside it."""

from collections.abc import Mapping
from typing import Any

from domain.money.amounts import to_major
from domain.money.currencies import EXPONENTS


def shown_amount(minor: int, currency: str) -> dict[str, Any]:
    """`amount` is decimal text in major units, as many decimals as `currency` has: "100.00".

    `amount_minor` is the same as an integer in minor units.
    """
    return {"amount": str(to_major(minor, currency)), "amount_minor": minor}


def with_shown_amounts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Stored facts under the names of answers; without an amount they stay as they are.

    Facts do not tell which currency is the base, so `base_amount` becomes `base_amount_minor` and
    has no major units. Nor has an amount in a currency without exponent.
    """
    shown: dict[str, Any] = {}
    for name, value in facts.items():
        if name == "amount" and facts["currency"] in EXPONENTS:
            shown |= shown_amount(value, facts["currency"])
        elif name in ("amount", "base_amount"):
            shown[f"{name}_minor"] = value
        else:
            shown[name] = value
    return shown
