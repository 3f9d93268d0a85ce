"""Fallback rules: they score from the payload alone where features, model or time are missing.

The score is 0.02 plus the points of the rules that hold, at most 0.95; it is a rank, no
probability, and FALLBACK_THRESHOLDS apply to it. Amounts are base-currency minor units.

| code                 | holds for                                              | points |
|----------------------|--------------------------------------------------------|--------|
| rule.huge_amount     | 5,000.00 and more                                      | 0.50   |
| rule.large_amount    | 1,000.00 and more, below 5,000.00                      | 0.30   |
| rule.large_cash      | 500.00 and more at an ATM                              | 0.20   |
| rule.risky_category  | money transfer, quasi cash, gambling                   | 0.20   |
| rule.card_absent     | channel ecom or moto                                   | 0.15   |
| rule.probe_amount    | below 1.00, channel ecom or moto                       | 0.15   |
| rule.no_customer     | neither card nor customer is known                     | 0.05   |
"""

from collections.abc import Callable

from domain.policy.score import Score
from domain.transactions import Transaction

BASE = 2
MOST = 95

# ISO 18245: wire transfer and money orders, quasi cash (two codes), gambling.
RISKY_CATEGORIES = frozenset({"4829", "6050", "6051", "7995"})

_HUGE = 500_000
_LARGE = 100_000
_LARGE_CASH = 50_000
_PROBE = 100


def _card_absent(t: Transaction) -> bool:
    return t.channel in ("ecom", "moto")


# Points are in hundredths and added as integers: the sum has one value on every machine.
_RULES: tuple[tuple[str, int, Callable[[Transaction], bool]], ...] = (
    ("rule.huge_amount", 50, lambda t: t.base_amount >= _HUGE),
    ("rule.large_amount", 30, lambda t: _LARGE <= t.base_amount < _HUGE),
    ("rule.large_cash", 20, lambda t: t.channel == "atm" and t.base_amount >= _LARGE_CASH),
    ("rule.risky_category", 20, lambda t: t.mcc in RISKY_CATEGORIES),
    ("rule.card_absent", 15, _card_absent),
    ("rule.probe_amount", 15, lambda t: _card_absent(t) and t.base_amount < _PROBE),
    ("rule.no_customer", 5, lambda t: t.card_id is None and t.customer_id is None),
)


def fallback(transaction: Transaction) -> Score:
    """Score by the table above; reasons in its order, which is that of the points."""
    held = [(code, points) for code, points, holds in _RULES if holds(transaction)]
    total = min(BASE + sum(points for _, points in held), MOST)
    return Score(total / 100, [code for code, _ in held])
