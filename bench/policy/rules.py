"""Benchmark of rules: what a set costs in a decision, against the least that it could.

    python -m bench.policy.rules

The floor is as many calls of the library with the condition `true`: what crossing into it costs.
Needs no server.
"""

import time
from collections.abc import Callable

from bench.machine import described, write
from domain.events import Rule
from domain.features import CATALOGUE
from domain.policy.rules.ruling import RuleSet
from domain.rule_values import apply_rules, known_values
from domain.transactions import Transaction
from runtime.composition.models import rule_language

RULES, ROUNDS, REPEATS = 100, 200, 25
TRANSACTION = Transaction(
    transaction_id="t-1",
    timestamp=1_700_000_000_000_000,
    amount=12_50,
    currency="EUR",
    base_amount=12_50,
    card_id="c-1",
    country="DE",
    channel="ecom",
)


def made(condition: Callable[[int], str]) -> list[Rule]:
    return [
        Rule(
            name=f"r-{n}",
            code="code",
            words="The amount is {amount}.",
            condition=condition(n),
            action="review",
            severity="low",
            owner="bench",
        )
        for n in range(RULES)
    ]


def of_five_terms(n: int) -> str:
    """Over four features and a field; one in ten of the features is unknown."""
    a, b, c, d = (CATALOGUE.names[(n * step + 3) % len(CATALOGUE)] for step in (1, 3, 7, 11))
    return (
        f"({a} > {n}.0 || {b} < 0.5 * {c}) && {d} >= 1.0"
        " && transaction.country in ['DE', 'FR'] || amount > 900.0"
    )


def microseconds(call: Callable[[], object]) -> float:
    """The least of some means: what others on the machine do adds, and never takes away."""
    means = []
    for _ in range(REPEATS):
        began = time.perf_counter_ns()
        for _ in range(ROUNDS):
            call()
        means.append((time.perf_counter_ns() - began) / ROUNDS / 1000)
    return round(min(means), 1)


def main() -> None:
    language = rule_language()
    vector: list[float | None] = [None if n % 10 == 9 else n / 7 for n in range(len(CATALOGUE))]
    rules = made(of_five_terms)
    rule_set, compiled = RuleSet(0, tuple(rules)), language.compile(rules)
    floor = language.compile(made(lambda _: "true"))

    def known() -> dict[str, float | int | str]:
        return known_values(compiled.names, TRANSACTION, CATALOGUE, vector, [], "full", 0.3)

    def decided() -> object:
        return apply_rules(rule_set, compiled.truths, known(), [], "t-1", 0.3)

    values = known()
    least = microseconds(lambda: floor.truths({}))
    whole = microseconds(decided)
    evaluated = microseconds(lambda: compiled.truths(values))
    began = time.perf_counter()
    language.compile(rules)
    compiling = time.perf_counter() - began
    write(
        "rules",
        {
            "machine": described(),
            "rules": RULES,
            "names": len(compiled.names),
            "floor_us": least,
            "evaluated_us": evaluated,
            "in_a_decision_us": whole,
            "ratio_to_floor": round(whole / least, 2),
            "compiled_ms": round(compiling * 1000, 1),
        },
    )


if __name__ == "__main__":
    main()
