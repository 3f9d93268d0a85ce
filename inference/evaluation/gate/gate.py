"""Decision of the gate: a new model against the one in force, its past and a single feature."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from domain.times import to_rfc3339
from inference.evaluation.costs import Costs
from inference.evaluation.gate.comparison import Compared, Scored, compared
from inference.evaluation.gate.plausibility import plausible
from inference.evaluation.gate.ranking import (
    auc,
    average_precision,
    best_feature,
    in_order,
    labelled_rows,
    ranking_sums,
)
from inference.evaluation.gate.report import Check, GateLimits, GateReport
from inference.evaluation.gate.resampling import Interval, interval, resampled, units_of
from inference.evaluation.measures import AS_KNOWN
from inference.frame.frame import Floats, Frame

_SQRT2 = math.sqrt(2)
_LEAST_ODDS = 1e-12
_NO_FEATURES = np.array([], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A new model. `later` are the rows that its fit on the earlier part has not learnt from, with
    all features of the training; `scored` is that fit. `exported` [n] are the scores of the same
    rows by what would serve, which was fitted on all labels."""

    later: Frame
    scored: Scored
    exported: Floats


@dataclass(frozen=True, slots=True)
class InForce:
    """The model in force. `scored` is of the rows of the candidate, None where it cannot score
    them: `unscored` says why.

    It has learnt from nothing after `learnt_until` (event time, microseconds UTC), from no row at
    all where that is None. `recorded` are the metrics of its training, empty where that was on
    other data than the log's; so is `as_known_at`, the time up to which it knew labels.
    """

    model_id: str
    scored: Scored | None
    unscored: str = ""
    learnt_until: int | None = None
    recorded: Mapping[str, float] | None = None
    as_known_at: int | None = None


def judged(
    new: Candidate, in_force: InForce | None, costs: Costs, limits: GateLimits
) -> GateReport:
    """Deterministic; with 200,000 labelled rows it takes some seconds."""
    times = new.later.times
    since, until = int(times[0]), int(times[-1])
    spread = _spread(new, limits)
    if not all(np.isfinite(each).all() for each in (new.scored.scores, new.exported)):
        return GateReport((spread,), since, until)
    measures, comparison = _against(new, in_force, costs, limits)
    checks = (*comparison, *_alone(new, in_force, limits), spread)
    return GateReport(checks, since, until, measures)


def _against(
    new: Candidate, in_force: InForce | None, costs: Costs, limits: GateLimits
) -> tuple[Mapping[str, Compared], list[Check]]:
    """On rows that neither has learnt from; where these do not suffice, the new one's measures on
    all that it has not learnt from, and a new one that knows less than the other is refused."""
    later, knows_less = new.later.of(_NO_FEATURES), False
    unable = "no model is in force" if in_force is None else in_force.unscored
    if in_force is not None and in_force.scored is not None:
        rows = np.full(len(later), True)
        if in_force.learnt_until is not None:
            rows = later.times > in_force.learnt_until
        both = [new.scored, in_force.scored]
        models = [replace(each, scores=each.scores[rows]) for each in both]
        measures = compared(later.take(rows), models, costs, limits.least)
        if AS_KNOWN in measures:
            return measures, list(_compared_at(measures, in_force.model_id, limits))
        _, about = labelled_rows(later.take(rows))
        frauds, genuine = about.frauds, len(about.labels) - about.frauds
        unable = (
            f"not comparable with {in_force.model_id}: {frauds} frauds and {genuine:,} genuine"
            f" payments that neither has learnt from, {limits.least} of each are needed"
        )
        known = in_force.as_known_at
        if known is not None and later.as_known_at < known:
            knows_less = True
            unable += (
                f"; and it knows labels until {to_rfc3339(later.as_known_at)} only,"
                f" {in_force.model_id} until {to_rfc3339(known)}"
            )
    alone = compared(later, [new.scored], costs, limits.least)
    return alone, [Check("model in force", not knows_less, unable)]


def _compared_at(
    measures: Mapping[str, Compared], model_id: str, limits: GateLimits
) -> Iterator[Check]:
    """With all labels, and at the greatest maturity that suffices."""
    for maturity in dict.fromkeys((AS_KNOWN, list(measures)[-1])):
        at = measures[maturity]
        labels = "" if maturity == AS_KNOWN else f", labels as known after {maturity}"
        where = f"on {at.payments:,} payments ({at.frauds:,} fraud) that neither has learnt from"
        ranks, margin = at.difference["average_precision"], limits.margin
        yield Check(
            "model in force",
            not ranks.high < -margin,
            f"average precision {_against_text('average_precision', at)} of {model_id} {where}"
            f"{labels}; {margin:g} worse is allowed",
            -ranks.value,
            margin,
        )
        if "cost" in at.difference:
            spent = at.difference["cost"]
            yield Check(
                "cost",
                not spent.low > margin,
                f"costs {_against_text('cost', at)} of {model_id}, as a share of what fraud would"
                f" cost without a model{labels}; {margin:g} more is allowed",
                spent.value,
                margin,
            )


def _alone(new: Candidate, in_force: InForce | None, limits: GateLimits) -> Iterator[Check]:
    """What needs the new model alone, on all rows that its fit has not learnt from."""
    rows, about = labelled_rows(new.later)
    number, greatest = best_feature(about, new.later.vectors[rows])
    column = in_order(new.later.vectors[rows, number], greatest)
    ranked = [new.scored.scores[rows], new.exported[rows], column]
    sums = [each for scores in ranked for each in ranking_sums(about, scores)]
    drawn = resampled(units_of(new.later)[rows], sums)
    fitted, exported, feature = (drawn[begin : begin + 4] for begin in (0, 4, 8))
    measured = average_precision(fitted)
    if in_force is not None and in_force.recorded:
        found = {"average_precision": interval(measured), "auc": interval(auc(fitted))}
        yield _fall(found, in_force.recorded, in_force.model_id, limits)
    name = new.later.names[number]
    order = "greatest" if greatest else "least"
    yield _not_worse(
        "single feature",
        measured,
        average_precision(feature),
        f"{name} alone, its {order} values first",
        limits,
        (name,),
    )
    yield from plausible(measured, average_precision(feature), name, order, limits)
    yield _not_worse(
        "as exported",
        average_precision(exported),
        measured,
        "the fit that had not learnt from these payments",
        limits,
    )


def _not_worse(
    check: str,
    mine: Floats,
    other: Floats,
    what: str,
    limits: GateLimits,
    features: tuple[str, ...] = (),
) -> Check:
    apart = interval(mine - other)
    return Check(
        check,
        not apart.high < -limits.margin,
        f"average precision {mine[0]:.3f} against {other[0]:.3f} of {what}:"
        f" {_in_words(apart)}; {limits.margin:g} worse is allowed",
        -apart.value,
        limits.margin,
        features,
    )


def _fall(
    found: Mapping[str, Interval], recorded: Mapping[str, float], model_id: str, limits: GateLimits
) -> Check:
    """What was recorded has noise too, taken for as much: sqrt(2) for the difference of both."""
    parts, worst, allowed = [], 0.0, limits.fall
    for name, words, bound in (
        ("average_precision", "average precision", limits.fall),
        ("auc", "AUC", limits.fall / 2),
    ):
        now, before = found[name], recorded.get(name)
        if before is None:
            continue
        fallen = before - now.value
        parts.append(f"{words} {now.value:.3f} against {before:.3f} ({bound:g} lower is allowed)")
        if fallen - _SQRT2 * (now.high - now.value) > bound and fallen - bound > worst - allowed:
            worst, allowed = fallen, bound
    says = f"{' and '.join(parts)} when {model_id} was trained"
    return Check("fall", worst <= allowed, says, worst, allowed)


def _spread(new: Candidate, limits: GateLimits) -> Check:
    """Of what would serve; scores that are no numbers are refused here."""
    scores, name = new.exported, "spread"
    for each in (new.scored.scores, scores):
        if wrong := int((~np.isfinite(each)).sum()):
            return Check(name, False, f"{wrong:,} of {len(each):,} scores are no numbers", 1.0)
    inside = np.clip(scores, _LEAST_ODDS, 1 - _LEAST_ODDS)
    spread = float(np.std(np.log(inside / (1 - inside))))
    says = (
        f"the standard deviation of scores is {spread:.3g} in log odds, at least {limits.spread:g}"
    )
    says += " is expected"
    return Check(name, spread >= limits.spread, says, max(limits.spread - spread, 0.0))


def _against_text(measure: str, at: Compared) -> str:
    new, old = at.new[measure], at.in_force[measure]
    return f"{new.value:.3f} ({_in_words(at.difference[measure])}) against {old.value:.3f}"


def _in_words(apart: Interval) -> str:
    return f"{apart.value:+.3f}, 95 % interval {apart.low:+.3f} to {apart.high:+.3f}"
