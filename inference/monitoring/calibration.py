"""Live calibration and label drift: expected and observed frauds, by the age of labels.

A declined payment never becomes fraud, so it is censored: not in the sums, and counted apart. Drift
libraries have no censoring, so this is ours, with SciPy's Poisson distribution.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scipy.stats import poisson

from domain.times import DAY
from inference.monitoring.limits import Level, Limits

WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Week:
    """Decisions of the seven days from `begin` on (known time, microseconds UTC).

    `decided` were not declined, `expected` is the sum of their scores; `observed` is how many of
    them were labelled fraud within so many days of their decision, by maturity. `declined` are
    censored; `declined_frauds` of them were called fraud all the same, as known now.
    """

    begin: int
    decided: int
    expected: float
    declined: int
    declined_frauds: int
    observed: Mapping[int, int] = field(default_factory=dict)

    def mature(self, days: int, now: int) -> bool:
        """True once every decision of the week is that old."""
        return self.begin + WEEK + days * DAY <= now


@dataclass(frozen=True, slots=True)
class Calibration:
    """Sums over mature weeks. `ratio` is observed over expected, None where nothing was expected.

    `p_value`: the scores being right, the chance of a number of frauds that is as far off.
    """

    days: int
    weeks: int
    decided: int
    declined: int
    expected: float
    observed: int
    p_value: float
    level: Level

    @property
    def ratio(self) -> float | None:
        return self.observed / self.expected if self.expected else None


@dataclass(frozen=True, slots=True)
class LabelDrift:
    """Share of fraud, when trained and live. Declined payments might all have been fraud, or none:
    the live share lies between `least` and `most` (bounds of C. Manski, 1989).
    """

    days: int
    before: float
    least: float
    most: float
    level: Level

    @property
    def nearest(self) -> float:
        """The live share that is nearest to the one of training."""
        return min(max(self.before, self.least), self.most)


def calibration(
    weeks: Sequence[Week], days: int, now: int, limits: Limits, latest: int = 8
) -> Calibration:
    """Over the `latest` weeks that are mature at `days`."""
    chosen = _mature(weeks, days, now, latest)
    expected = sum(week.expected for week in chosen)
    observed = sum(week.observed.get(days, 0) for week in chosen)
    p_value = _far_off(observed, expected)
    level: Level = "unknown"
    if max(expected, observed) >= limits.least_frauds:
        ratio = observed / expected if expected else float("inf")
        level = limits.of_ratio(ratio, p_value)
    return Calibration(
        days,
        len(chosen),
        sum(week.decided for week in chosen),
        sum(week.declined for week in chosen),
        expected,
        observed,
        p_value,
        level,
    )


def label_drift(
    before: float, weeks: Sequence[Week], days: int, now: int, limits: Limits, latest: int = 8
) -> LabelDrift | None:
    """None while no week is mature. A level is given where the share lies outside of all bounds."""
    chosen = _mature(weeks, days, now, latest)
    total = sum(week.decided + week.declined for week in chosen)
    if not total:
        return None
    frauds = sum(week.observed.get(days, 0) + week.declined_frauds for week in chosen)
    hidden = sum(week.declined - week.declined_frauds for week in chosen)
    least, most = frauds / total, (frauds + hidden) / total
    nearest = min(max(before, least), most)
    level: Level = "unknown"
    if max(nearest, before) * total >= limits.least_frauds:
        number = round(nearest * total)
        ratio = nearest / before if before else float("inf")
        level = limits.of_ratio(ratio, _far_off(number, before * total))
    return LabelDrift(days, before, least, most, level)


def _mature(weeks: Sequence[Week], days: int, now: int, latest: int) -> Sequence[Week]:
    return [week for week in weeks if week.mature(days, now)][-latest:]


def _far_off(observed: int, expected: float) -> float:
    """Two-sided. The number of frauds, a sum of unequal coins, varies less than a Poisson one:
    the p-value is rather too large, and alerts are rather too few."""
    if not expected:
        return 0.0 if observed else 1.0
    tail = min(poisson.cdf(observed, expected), poisson.sf(observed - 1, expected))
    return float(min(1.0, 2 * tail))
