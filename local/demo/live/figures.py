"""Figures of live traffic: what was sent, answered and decided, and how fast."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

FLAGGED = ("review", "decline")


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of an id that counts in the log.

    `by_score` is the outcome that the score alone would have had, without published rules.
    """

    outcome: str
    score: float
    partition: int
    offset: int
    model_id: str
    by_score: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision that an HTTP client received."""

    outcome: str
    score: float


@dataclass(slots=True)
class Figures:
    """Written by the sender and the monitor; each field has one writer.

    `sent` maps an id to the truth about it, None if unknown. `answers` and `acked` are
    what HTTP and Kafka acknowledged. Latencies and freshness are in milliseconds.
    """

    sent: dict[str, bool | None] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    acked: set[str] = field(default_factory=set)
    labels: int = 0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    decisions: dict[str, Decision] = field(default_factory=dict)
    freshness: list[float] = field(default_factory=list)
    alerts: int = 0
    lags: dict[str, int] = field(default_factory=dict)

    @property
    def acknowledged(self) -> set[str]:
        return self.answers.keys() | self.acked

    @property
    def waiting(self) -> set[str]:
        """Acknowledged, and not decided in the log as far as it was read."""
        return self.acknowledged - self.decisions.keys()


@dataclass(frozen=True, slots=True)
class Caught:
    """Decided transactions of which the truth is known, by truth and by outcome."""

    caught: int = 0
    missed: int = 0
    false_alarms: int = 0
    passed: int = 0

    @property
    def recall(self) -> float | None:
        return _ratio(self.caught, self.caught + self.missed)

    @property
    def precision(self) -> float | None:
        return _ratio(self.caught, self.caught + self.false_alarms)


def caught(figures: Figures, *, by_score: bool = False) -> Caught:
    """Reviewed and declined count as caught; a step-up does not. With `by_score` as if there were
    no rules."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for transaction_id, decision in list(figures.decisions.items()):
        truth = figures.sent.get(transaction_id)
        if truth is not None:
            outcome = decision.by_score if by_score else decision.outcome
            counts[truth, outcome in FLAGGED] += 1
    return Caught(counts[True, True], counts[True, False], counts[False, True],
                  counts[False, False])  # fmt: skip


def stepped_up(figures: Figures) -> tuple[int, int]:
    """Frauds and genuine payments that wait for the customer to prove who they are."""
    truths = [
        figures.sent.get(transaction_id)
        for transaction_id, decision in list(figures.decisions.items())
        if decision.outcome == "step_up"
    ]
    return truths.count(True), truths.count(False)


def percentile(values: Sequence[float], level: float) -> float | None:
    """The least value that a fraction `level` of the values does not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(level * len(ordered)) - 1)]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
