"""Values of a label column: 1 for fraud, 0 for genuine, in the spellings that files use."""

from decimal import Decimal

_TRUE = frozenset(("1", "1.0", "true", "t", "yes", "y", "fraud", "fraudulent"))
_FALSE = frozenset(("0", "0.0", "false", "f", "no", "n", "genuine", "legit", "legitimate"))


def read_label(value: object) -> int | None:
    """1 for fraud, 0 for genuine, None for not labelled. Raises ValueError."""
    if value is None:
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | Decimal) and value in (0, 1):
        return int(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if not word:
            return None
        if word in _TRUE:
            return 1
        if word in _FALSE:
            return 0
    raise ValueError("expected 1 (fraud), 0 (genuine) or nothing")
