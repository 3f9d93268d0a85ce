"""Parts of a page on what follows from decisions, as they are told in `told`."""

from __future__ import annotations

from typing import Any

from operations.backtest.reports import told
from operations.backtest.reports.diagrams.consequences import delays, intervals, loops, messages
from operations.backtest.reports.markup import Markup, joined, tag
from operations.backtest.reports.tables import text_table

Document = dict[str, Any]


def closed_loop(found: Document) -> list[Markup]:
    """Of each policy both loops; nothing where the loop was not closed."""
    if (loop := found.get("closed_loop")) is None:
        return []
    stopped = told.stopped(loop)
    made = [_note(told.feeding_back(loop)), *([_note(stopped)] if stopped else [])]
    made += [tag("p", f"{told.compared_in_loop(each)}.") for each in loop["compared"]]
    made.append(_charts(loops(loop["policies"])))
    made += [
        text_table(f"{each['policy']}: {told.other_decisions(each)}", ["", *told.LOOPS],
                   told.loop_rows(each))
        for each in loop["policies"]
    ]  # fmt: skip
    return made


def hidden_labels(found: Document, number: int) -> list[Markup]:
    """What declines hide of a candidate, and what exploration tells of it."""
    apart, estimates = found["apart"][number], found["estimates"][number]
    made = [_note(each) for each in told.hidden(apart)]
    if estimates["refused"] is not None:
        return [*made, tag("p", _sentence(told.estimated(estimates)[0]), class_="refused")]
    made += [_note(each) for each in told.estimated(estimates)]
    both = [(0, found["baseline"]), (number + 1, found["candidates"][number])]
    tables = [
        text_table(each, ["", "Estimate", "From", "To"], told.estimate_rows(estimates, each))
        for each in told.ESTIMATORS
    ]
    ratios = text_table("Ratios", ["", "Estimate", "From", "To"], told.ratio_rows(estimates))
    return [*made, _charts(intervals(estimates, both)), *tables, ratios]


def delivery(found: Document) -> list[Markup]:
    """How alerts would have gone out."""
    policies = [found["baseline"], *found["candidates"]]
    made = [tag("p", f"{told.delivered(each)}.") for each in policies]
    drawn = [each for each in (messages(policies), delays(policies)) if each is not None]
    made += [_charts(*drawn)] if drawn else []
    made += [
        text_table(f"Messages of {each['policy']}", told.ROUTES, list(told.route_rows(each)))
        for each in policies
        if each["delivery"]["routes"]
    ]
    return made


def _charts(*figures: Markup) -> Markup:
    return tag("div", joined(figures), class_="charts")


def _note(text: str) -> Markup:
    return tag("p", _sentence(text))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
