"""Reference computation: fixed work of the kinds that a decision does, and nothing of the product.

JSON, text and a keyed digest; small objects and their methods; small arrays. What makes a processor
or an interpreter slower makes this slower about as much.
"""

import hashlib
import hmac
import json

import numpy as np

_TEXT = json.dumps({f"field_{n}": [n, n / 7, f"value {n}", None, True] for n in range(12)})
_VALUES = [float(n % 13) / 7 for n in range(128)]
_ROUNDS, _POINTS = 8, 150


class _Point:
    __slots__ = ("x", "y")

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y

    def sum(self) -> float:
        return self.x + self.y


def reference() -> float:
    """About a millisecond of a processor."""
    total = 0.0
    for _ in range(_ROUNDS):
        found = json.loads(_TEXT)
        text = "".join(sorted(f"{name}={value}" for name, value in found.items()))
        digest = hmac.new(b"k" * 32, text.encode(), hashlib.sha256).digest()
        for n in range(_POINTS):
            total = _Point(n, total).sum() % 97.0
        values = np.array(_VALUES)
        order = np.argsort(-values, kind="stable")[:3]
        pair = np.stack([values, values[::-1]])
        total += float(np.where(pair > 0.5, pair, 0.0).sum()) + float(order[0]) + digest[0]
    return total
