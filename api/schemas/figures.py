"""Figures of the business and statistics of rules over HTTP."""

from collections.abc import Iterable
from datetime import date

from pydantic import BaseModel, Field

from domain.times import to_rfc3339
from projections.readmodels.queries.figures import Figures, Rates
from projections.readmodels.queries.rule_statistics import RuleStatistics
from projections.readmodels.queries.tallies import Window


class FiguresOut(BaseModel):
    """Counts and sums in minor units of the base currency; rates are null without a divisor."""

    counts: Figures
    rates: Rates


class WindowOut(BaseModel):
    since: str = Field(description="Payments from then on, RFC 3339.")
    until: str = Field(description="Payments before then, RFC 3339.")
    as_known_at: str = Field(description="Decisions and labels as known then, RFC 3339.")


class FiguresRow(FiguresOut):
    key: str | None = Field(
        description="Day, merchant, model or rule; null for payments without a merchant."
    )


class FiguresPage(WindowOut):
    items: list[FiguresRow]


class TogetherOut(BaseModel):
    rule: str
    hits: int = Field(description="Decisions in which both rules held.")


class RuleStatisticsRow(BaseModel):
    """What one rule did in one set of rules."""

    rule: str
    version: int = Field(description="Of the set: its offset in the policy topic.")
    action: str
    in_shadow: bool = Field(description="Whether the set has the rule as a shadow.")
    share_basis_points: int = Field(description="Of the traffic that the rule acts on.")
    day: date | None = Field(description="Null unless days were asked for.")
    decisions: int = Field(description="All with this set.")
    not_evaluable: int = Field(description="Of these, where the rule saw something unknown.")
    acted: FiguresOut = Field(description="Decisions in which the rule acted.")
    shadow: FiguresOut = Field(description="Decisions in which it held and did not act.")
    instead: FiguresOut | None = Field(
        description="Of `shadow` those with an outcome milder than the rule's action: it would "
        "have changed them. Null for rules that approve or adjust."
    )
    together: list[TogetherOut]


class RuleStatisticsPage(WindowOut):
    items: list[RuleStatisticsRow]


def figures_page(found: Iterable[tuple[object, Figures]], window: Window) -> FiguresPage:
    items = [
        FiguresRow(key=None if key is None else str(key), counts=each, rates=each.rates)
        for key, each in found
    ]
    return FiguresPage(items=items, **_bounds(window))


def statistics_page(found: Iterable[RuleStatistics], window: Window) -> RuleStatisticsPage:
    return RuleStatisticsPage(items=[_row(each) for each in found], **_bounds(window))


def _bounds(window: Window) -> dict[str, str]:
    return {
        "since": to_rfc3339(window.since),
        "until": to_rfc3339(window.until),
        "as_known_at": to_rfc3339(window.now),
    }


def _row(found: RuleStatistics) -> RuleStatisticsRow:
    return RuleStatisticsRow(
        rule=found.rule.name,
        version=found.version,
        action=found.rule.action,
        in_shadow=found.rule.shadow,
        share_basis_points=found.rule.share,
        day=found.day,
        decisions=found.decisions,
        not_evaluable=found.not_evaluable,
        acted=_figures(found.acted),
        shadow=_figures(found.shadow),
        instead=None if found.instead is None else _figures(found.instead),
        together=[
            TogetherOut(rule=name, hits=hits)
            for name, hits in sorted(found.together.items(), key=lambda each: (-each[1], each[0]))
        ],
    )


def _figures(figures: Figures) -> FiguresOut:
    return FiguresOut(counts=figures, rates=figures.rates)
