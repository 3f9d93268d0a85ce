"""Measures that are too good to be true: a feature or a mapping that gives the label away."""

from collections.abc import Iterator

from inference.evaluation.gate.ranking import (
    average_precision,
    best_feature,
    in_order,
    labelled_rows,
    ranking_sums,
)
from inference.evaluation.gate.report import Check, GateLimits
from inference.evaluation.gate.resampling import Interval, interval, resampled, units_of
from inference.evaluation.measures import Validated
from inference.frame.frame import Floats


def plausible(
    model: Floats, feature: Floats, name: str, order: str, limits: GateLimits
) -> Iterator[Check]:
    """Of the average precision [1 + resamples] of a model, and of the feature that has most alone,
    its `order` (greatest or least) values first."""
    for check, what, measured, bound, features in (
        ("feature too good", f"{name} alone, its {order} values first,", feature, limits.alone,
         (name,)),
        ("model too good", "the model", model, limits.plausible, ()),
    ):  # fmt: skip
        found = interval(measured)
        passed = not found.low > bound
        hint = "" if passed else ": is the label among what is mapped, or known only after it?"
        yield Check(
            check,
            passed,
            f"{what} has average precision {_in_words(found)}; up to {bound:g} is plausible{hint}",
            found.value,
            bound,
            features,
        )


def doubts_about(new: Validated, limits: GateLimits) -> tuple[Check, ...]:
    """The checks of `plausible` that a model fails, on the rows that it was measured on.

    Deterministic; with 200,000 labelled rows it takes some seconds.
    """
    rows, about = labelled_rows(new.frame)
    number, greatest = best_feature(about, new.frame.vectors[rows])
    column = in_order(new.frame.vectors[rows, number], greatest)
    sums = [each for scores in (new.scores[rows], column) for each in ranking_sums(about, scores)]
    drawn = resampled(units_of(new.frame)[rows], sums)
    model, feature = (average_precision(drawn[begin : begin + 4]) for begin in (0, 4))
    order = "greatest" if greatest else "least"
    checks = plausible(model, feature, new.frame.names[number], order, limits)
    return tuple(each for each in checks if not each.passed)


def _in_words(found: Interval) -> str:
    return f"{found.value:.3f}, 95 % interval {found.low:.3f} to {found.high:.3f}"
