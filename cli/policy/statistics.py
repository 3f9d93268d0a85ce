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

_NUMBERS = ("hits", "labelled", "precision", "money", "fraud", "wronged", "unknown")


def statistics(
    since: Since = None,
    until: Until = None,
    rule: Annotated[str | None, typer.Option(help="Only rules of this name.")] = None,
    daily: Annotated[bool, typer.Option("--daily", help="Each day by itself.")] = False,
    as_json: AsJson = False,
) -> None:
    """Count hits of rules by the time of payments, with their labels, money and overlap.

    `would change` are decisions that a shadow would have made severer, `wronged` the money of
    genuine payments declined, `unknown` the decisions in which the rule was not evaluable.
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
    show_statistics(found, daily=daily, every_pair=rule is not None)


def show_statistics(found: list[RuleStatistics], *, daily: bool, every_pair: bool) -> None:
    """As a table, then pairs of rules: each once, or with `every_pair` at both of its rules."""
    titles = ["rule", *(["day"] if daily else []), "set", "did", *_NUMBERS]
    print_table([line for each in found for line in _lines(each, daily)], titles, _NUMBERS)
    for each in found:
        where = f"set {each.version}" + (f", {each.day}" if daily else "")
        for name, hits in sorted(each.together.items()):
            if every_pair or each.rule.name < name:
                print(f"{where}: {each.rule.name} and {name} both held in {hits:,}")


def _lines(each: RuleStatistics, daily: bool) -> Iterator[list[str]]:
    first = [each.rule.name, *([str(each.day)] if daily else []), str(each.version)]
    unknown = f"{each.not_evaluable:,}"
    if not each.rule.shadow:
        yield [*first, f"acted, {each.rule.share / 100:g} %", *_cells(each.acted), unknown]
        first, unknown = [""] * len(first), ""
    if each.rule.shadow or each.shadow.decisions:
        yield [*first, "shadow", *_cells(each.shadow), unknown]
        if each.instead is not None:
            yield [*[""] * len(first), "would change", *_cells(each.instead), ""]


def _cells(figures: Figures) -> list[str]:
    return [
        f"{figures.decisions:,}",
        percent(figures.rates.labelled_share),
        percent(figures.rates.precision),
        money(figures.base_amount_minor),
        money(figures.fraud_base_amount_minor),
        money(figures.declined_genuine_base_amount_minor),
    ]
