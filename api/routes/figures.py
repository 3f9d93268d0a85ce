"""GET /figures, of the business, and GET /policy/statistics, of rules: from the read models."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.deps import ApiDeps, Deps
from api.openapi import problems
from api.parameters import Limit, Since, Until, moment
from api.schemas.figures import FiguresPage, RuleStatisticsPage, figures_page, statistics_page
from projections.readmodels.queries.figures import figures_by
from projections.readmodels.queries.rule_statistics import figures_by_rule, rule_statistics
from projections.readmodels.queries.tallies import Window, window

router = APIRouter(tags=["figures"])


@router.get("/figures", response_model=FiguresPage, **problems(422, 503))
async def figures(
    deps: Deps,
    by: Literal["day", "merchant", "model", "rule"] = "day",
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
) -> FiguresPage:
    """By the time of payments, the last 30 days unless told. Days in their order, others by the
    most decisions; in `rule` are the decisions in which a rule acted."""
    within = _window(deps, since, until)
    engine = deps.read_models.engine
    if by == "rule":
        found = await asyncio.to_thread(lambda: figures_by_rule(engine, within, deps.rule_sets()))
    else:
        found = await asyncio.to_thread(figures_by, engine, within, by)
    return figures_page(found[:limit], within)


@router.get("/policy/statistics", response_model=RuleStatisticsPage, **problems(422, 503))
async def policy_statistics(
    deps: Deps,
    since: Since = None,
    until: Until = None,
    rule: Annotated[str | None, Query(description="Only rules of this name.")] = None,
    daily: Annotated[bool, Query(description="Each day by itself.")] = False,
) -> RuleStatisticsPage:
    """What each rule did in each set that decided, and what its shadow would have done. By the time
    of payments, the last 30 days unless told."""
    within = _window(deps, since, until)
    engine = deps.read_models.engine
    found = await asyncio.to_thread(
        lambda: rule_statistics(engine, within, deps.rule_sets(), daily=daily, name=rule)
    )
    return statistics_page(found, within)


def _window(deps: ApiDeps, since: str | None, until: str | None) -> Window:
    return window(moment("since", since), moment("until", until), deps.context.clock())
