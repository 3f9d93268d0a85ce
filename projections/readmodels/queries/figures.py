"""Figures of the business: rates, fraud by label maturity, and money, by day, merchant or model."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import Engine

from domain.features.payments import MATURITIES
from domain.times import DAY
from projections.readmodels.queries.tallies import Tally, Window, tallies

By = Literal["day", "merchant", "model"]
BY: tuple[By, ...] = get_args(By)


@dataclass(slots=True)
class Matured:
    """Of decisions on payments so many days old: those labelled by that age, and as fraud."""

    days: int
    decisions: int = 0
    labelled: int = 0
    fraud: int = 0


def _matured() -> list[Matured]:
    return [Matured(each // DAY) for each in MATURITIES]


@dataclass(frozen=True, slots=True)
class Rates:
    """None where there is nothing to divide by.

    The first four are over all decisions, and so are that of payments approved in the end (at once,
    or by a step-up that was passed) and the labelled share. A step-up's pass rate is over those
    that ended. `precision` is fraud over what is labelled;
    `false_positive_ratio` is genuine payments flagged for each fraud caught. By maturity in days:
    fraud over all payments so old, and over those of them that were labelled by then.
    """

    approval_rate: float | None
    review_rate: float | None
    step_up_rate: float | None
    decline_rate: float | None
    final_approval_rate: float | None
    step_up_pass_rate: float | None
    labelled_share: float | None
    precision: float | None
    false_positive_ratio: float | None
    fraud_rate_by_maturity: dict[int, float | None]
    precision_by_maturity: dict[int, float | None]


@dataclass(slots=True)
class Figures:
    """Counts of decisions and sums of their base amounts, with labels as known at one moment.

    `caught` and `flagged_genuine` are fraud and genuine payments that were reviewed, stepped up or
    declined; `missed` is fraud that was approved at once, `passed_fraud` fraud whose step-up was
    passed.
    """

    decisions: int = 0
    base_amount_minor: int = 0
    approved: int = 0
    reviewed: int = 0
    stepped_up: int = 0
    declined: int = 0
    declined_base_amount_minor: int = 0
    fraud: int = 0
    fraud_base_amount_minor: int = 0
    genuine: int = 0
    caught: int = 0
    missed: int = 0
    missed_base_amount_minor: int = 0
    flagged_genuine: int = 0
    declined_genuine: int = 0
    declined_genuine_base_amount_minor: int = 0
    step_ups_passed: int = 0
    step_ups_failed: int = 0
    step_ups_abandoned: int = 0
    passed_fraud: int = 0
    passed_fraud_base_amount_minor: int = 0
    by_maturity: list[Matured] = field(default_factory=_matured)

    def add(self, tally: Tally) -> None:
        count, amount = tally.decisions, tally.base_amount
        approved, declined = tally.outcome == "approve", tally.outcome == "decline"
        fraud, genuine = tally.label == 1, tally.label == 0
        self.decisions += count
        self.base_amount_minor += amount
        self.approved += count * approved
        self.reviewed += count * (tally.outcome == "review")
        self.stepped_up += count * (tally.outcome == "step_up")
        self.declined += count * declined
        self.declined_base_amount_minor += amount * declined
        self.fraud += count * fraud
        self.fraud_base_amount_minor += amount * fraud
        self.genuine += count * genuine
        self.caught += count * (fraud and not approved)
        self.missed += count * (fraud and approved)
        self.missed_base_amount_minor += amount * (fraud and approved)
        self.flagged_genuine += count * (genuine and not approved)
        self.declined_genuine += count * (genuine and declined)
        self.declined_genuine_base_amount_minor += amount * (genuine and declined)
        passed = tally.concluded * (tally.result == "passed")
        self.step_ups_passed += passed
        self.step_ups_failed += tally.concluded * (tally.result == "failed")
        self.step_ups_abandoned += tally.concluded * (tally.result == "abandoned")
        self.passed_fraud += passed * fraud
        self.passed_fraud_base_amount_minor += tally.concluded_base_amount * (
            fraud and tally.result == "passed"
        )
        for label, kept in zip(tally.matured, self.by_maturity, strict=False):
            kept.decisions += count
            kept.labelled += count * (label in (0, 1))
            kept.fraud += count * (label == 1)

    @property
    def rates(self) -> Rates:
        return Rates(
            approval_rate=_share(self.approved, self.decisions),
            review_rate=_share(self.reviewed, self.decisions),
            step_up_rate=_share(self.stepped_up, self.decisions),
            decline_rate=_share(self.declined, self.decisions),
            final_approval_rate=_share(self.approved + self.step_ups_passed, self.decisions),
            step_up_pass_rate=_share(
                self.step_ups_passed,
                self.step_ups_passed + self.step_ups_failed + self.step_ups_abandoned,
            ),
            labelled_share=_share(self.fraud + self.genuine, self.decisions),
            precision=_share(self.fraud, self.fraud + self.genuine),
            false_positive_ratio=_share(self.flagged_genuine, self.caught),
            fraud_rate_by_maturity={
                each.days: _share(each.fraud, each.decisions) for each in self.by_maturity
            },
            precision_by_maturity={
                each.days: _share(each.fraud, each.labelled) for each in self.by_maturity
            },
        )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def figures_by(engine: Engine, window: Window, by: By) -> list[tuple[Any, Figures]]:
    """(day, merchant or model; figures): days in their order, others by the most decisions.

    None stands for payments without a merchant, `rules-only` for decisions without a model.
    Blocks; raises UnavailableError.
    """
    found = summed(tallies(engine, window, [by]))
    if by == "day":
        return sorted(found.items())
    return sorted(found.items(), key=lambda each: (-each[1].decisions, each[0] or ""))


def summed(given: Iterable[Tally]) -> dict[Any, Figures]:
    """By the first of the key's values."""
    found: dict[Any, Figures] = {}
    for tally in given:
        found.setdefault(tally.key[0], Figures()).add(tally)
    return found
