"""Labels of an import by the month of their payments, and months that lack fraud."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from domain.errors import InvalidInputError
from domain.times import DAY, to_datetime

_EXPECTED = 5.0  # frauds; of so many none is there once in 150 months, where frauds are independent


@dataclass(slots=True)
class MonthLabels:
    """Accepted payments of a month, and how many of them are labelled which."""

    payments: int = 0
    genuine: int = 0
    fraud: int = 0

    @property
    def labels(self) -> int:
        return self.genuine + self.fraud

    @property
    def fraud_share(self) -> float | None:
        """Of the labels; None where there is none."""
        return self.fraud / self.labels if self.labels else None


def month_of(timestamp: int) -> str:
    """Such as 2024-03, in UTC; microseconds."""
    return _month_of_day(timestamp // DAY)


@lru_cache(maxsize=4096)
def _month_of_day(day: int) -> str:
    return f"{to_datetime(day * DAY):%Y-%m}"


def in_all(months: Mapping[str, MonthLabels]) -> MonthLabels:
    every = months.values()
    return MonthLabels(
        sum(each.payments for each in every),
        sum(each.genuine for each in every),
        sum(each.fraud for each in every),
    )


def without_fraud(months: Mapping[str, MonthLabels]) -> dict[str, float]:
    """Months with labels and no fraud, where five or more were to be expected at the share of the
    months that have some: how many."""
    having = in_all({name: each for name, each in months.items() if each.fraud})
    share = having.fraud_share or 0.0
    return {
        name: each.labels * share
        for name, each in sorted(months.items())
        if not each.fraud and each.labels * share >= _EXPECTED
    }


def parse_months(given: Iterable[str], option: str) -> frozenset[str]:
    """Raises InvalidInputError naming the option."""
    return frozenset(_parsed(text.strip(), option) for text in given)


def _parsed(text: str, option: str) -> str:
    try:
        return f"{datetime.strptime(text, '%Y-%m'):%Y-%m}"  # noqa: DTZ007
    except ValueError:
        raise InvalidInputError(option, f"{text!r} is no month such as 2024-03") from None
