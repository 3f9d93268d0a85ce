"""`retrace figures`: rates, fraud by label maturity and money, by day, merchant, model or rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.output import parse_moment, print_table

if TYPE_CHECKING:
    from projections.readmodels.queries.figures import Figures
    from projections.readmodels.queries.tallies import Window

Since = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Payments from then on.", show_default="30 days"),
]
Until = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", help="Payments before then.", show_default="now"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as the API gives it.")]


def figures(
    by: Annotated[
        Literal["day", "merchant", "model", "rule"],
        typer.Option(help="In `rule` are decisions in which one acted."),
    ] = "day",
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="So many rows.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show approval, fraud, also as known so many days after payment, and money.

    `false/true` are genuine payments flagged for each fraud caught; `blocked` is the money
    declined, `missed` that of fraud approved, `wronged` that of genuine payments declined. Where
    step-ups ended, `in the end` is what they and the decisions approved.
    """
    from api.schemas.figures import figures_page
    from projections.readmodels.queries.figures import figures_by
    from projections.readmodels.queries.rule_statistics import figures_by_rule
    from runtime.composition.read_models import open_figures
    from runtime.settings import load_settings

    window = window_of(since, until)
    with open_figures(load_settings()) as (engine, rule_sets):
        if by == "rule":
            found = figures_by_rule(engine, window, rule_sets())
        else:
            found = figures_by(engine, window, by)
    if as_json:
        print(figures_page(found[:limit], window).model_dump_json())
        return
    show_figures(by, [(str(key or "none"), each) for key, each in found[:limit]])


def show_figures(by: str, rows: list[tuple[str, Figures]]) -> None:
    """As a table."""
    titles = ["decisions", "approved", "review", "step-up", "declined", "fraud"]
    by_days = [each.rates.fraud_rate_by_maturity for _, each in rows]
    # Those that no payment has reached would be empty columns.
    days = [
        days for days in (by_days or [{}])[0] if any(each[days] is not None for each in by_days)
    ]
    titles += [f"in {each} d" for each in days]
    in_the_end = any(each.rates.step_up_pass_rate is not None for _, each in rows)
    titles += ["in the end"] if in_the_end else []
    titles += ["false/true", "blocked", "missed", "wronged"]
    lines = []
    for key, each in rows:
        rates = each.rates
        shares = (rates.approval_rate, rates.review_rate, rates.step_up_rate, rates.decline_rate)
        ratio = rates.false_positive_ratio
        lines.append(
            [
                *(key, f"{each.decisions:,}", *map(percent, shares), f"{each.fraud:,}"),
                *(percent(rates.fraud_rate_by_maturity[number]) for number in days),
                *([percent(rates.final_approval_rate)] if in_the_end else []),
                "-" if ratio is None else f"{ratio:.1f}",
                money(each.declined_base_amount_minor),
                money(each.missed_base_amount_minor),
                money(each.declined_genuine_base_amount_minor),
            ]
        )
    print_table(lines, [by, *titles], right=titles)


def window_of(since: str | None, until: str | None) -> Window:
    """Of the options --from and --to. Raises InvalidInputError."""
    from host.clock import now_us
    from projections.readmodels.queries.tallies import window

    return window(parse_moment("--from", since), parse_moment("--to", until), now_us())


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def money(minor: int) -> str:
    """In major units of the base currency, which has two decimals."""
    return f"{minor / 100:,.0f}"
