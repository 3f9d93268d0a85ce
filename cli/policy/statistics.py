"""`retrace policy statistics`: what each rule did, and what its shadow would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import print_table
from cli.policy.figures import AsJson, Since, Until, money, percent, window_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.readmodels.queries.figures import Figures
    from projections.readmodels.queries.rule_statistics import RuleStatistics

_RIGHT = ("version", "hits", "labelled", "precision", "money", "of fraud", "genuine declined")


def statistics(
    since: Since = None,
    until: Until = None,
    rule: Annotated[str | None, typer.Option(help="Only rules of this name.")] = None,
    daily: Annotated[bool, typer.Option("--daily", help="Each day by itself.")] = False,
    as_json: AsJson = False,
) -> None:
    """Count hits of rules with labels, money and overlap, by the time of payments.

    `would change` are decisions that a shadow would have made severer.
    """
    from api.schemas.figures import statistics_page
    from projections.readmodels.queries.rule_statistics import rule_statistics
    from runtime.composition.read_models import open_figures
    from runtime.settings import load_settings

    window = window_of(since, until)
    with open_figures(load_settings()) as (engine, rule_sets):
        found = rule_statistics(engine, window, rule_sets(), daily=daily, name=rule)
    if as_json:
        print(statistics_page(found, window).model_dump_json())
        return
    titles = ["rule", *(["day"] if daily else []), "version", "did", *_RIGHT[1:], "together with"]
    print_table([line for each in found for line in _lines(each, daily)], titles, _RIGHT)


def _lines(each: RuleStatistics, daily: bool) -> Iterator[list[str]]:
    first = [each.rule.name, *([str(each.day)] if daily else []), str(each.version)]
    blank = [""] * len(first)
    rest = sorted(each.together.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    together = ", ".join(f"{name} {hits:,}" for name, hits in rest)
    if not each.rule.shadow:
        yield [*first, f"acted on {each.rule.share / 100:g} %", *_cells(each.acted), together]
        first, together = blank, ""
    if each.rule.shadow or each.shadow.decisions:
        yield [*first, "shadow", *_cells(each.shadow), together]
        if each.instead is not None:
            yield [*blank, "would change", *_cells(each.instead), ""]
    if each.not_evaluable:
        yield [*blank, "not evaluable", f"{each.not_evaluable:,}", *[""] * 5, ""]


def _cells(figures: Figures) -> list[str]:
    return [
        f"{figures.decisions:,}",
        percent(figures.rates.labelled_share),
        percent(figures.rates.precision),
        money(figures.base_amount_minor),
        money(figures.fraud_base_amount_minor),
        money(figures.declined_genuine_base_amount_minor),
    ]
