"""Rules for tests."""

from typing import Any

from domain.events import Rule


def rule(name: str = "big", condition: str = "amount > 100.0", **more: Any) -> Rule:
    given: dict[str, Any] = {
        "name": name,
        "code": name.replace("-", "_"),
        "words": "The amount is {amount}.",
        "condition": condition,
        "action": "review",
        "severity": "medium",
        "owner": "fraud team",
    }
    return Rule(**(given | more))
