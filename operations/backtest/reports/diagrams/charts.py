"""Charts of a report: loss against load, precision and recall, loss over time, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from operations.backtest.reports.diagrams.drawing import (
    Diagram,
    across,
    beginning,
    colour,
    percent,
    short,
    upward,
)
from operations.backtest.reports.diagrams.heat_map import heat_map
from operations.backtest.reports.markup import Markup, tag
from operations.backtest.reports.tables import numbers_table
from operations.backtest.reports.words import money, number, share

Document = dict[str, Any]

_LEAST_SHARE = 1e-5
_DIAMOND = "M13 0l6 6-6 6-6-6z"
_DOT = "M13 1.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0 -9z"


def charts(found: Document) -> list[Markup]:
    """All that there is something to draw of."""
    policies = [found["baseline"], *found["candidates"]]
    names = [each["policy"] for each in policies]
    drawn = [_frontier(found, policies), _precision_recall(found, policies, names)]
    drawn += [_over_time(found, kind) for kind in ("missed_fraud", "caught_fraud")]
    drawn += [_calibration(found, names), *_loads(found)]
    return [each for each in drawn if each is not None]


def figure(title: str, note: str, image: Markup, *below: Markup | None) -> Markup:
    return tag("figure", tag("h2", title), image, *below, tag("figcaption", note))


def legend(
    lines: Sequence[tuple[int, str]],
    diamonds: Sequence[tuple[int, str]] = (),
    dots: Sequence[tuple[int, str]] = (),
) -> Markup:
    """What each series is: by colour, and a line by its dashes."""
    drawn = [(f"line {colour(series)}", "M0 6H26", name) for series, name in lines]
    drawn += [(f"diamond {colour(series)}", _DIAMOND, name) for series, name in diamonds]
    drawn += [(f"dot {colour(series)}", _DOT, name) for series, name in dots]
    items = [
        tag("li", tag("svg", tag("path", d=path, class_=kind), viewBox="0 0 26 12",
                      class_="key", aria_hidden="true"), name)
        for kind, path, name in drawn
    ]  # fmt: skip
    return tag("ul", *items, class_="legend")


def _frontier(found: Document, policies: list[dict[str, Any]]) -> Markup:
    sweep = found.get("sweep", {"parameter": "", "points": {}})
    points = [each for some in sweep["points"].values() for each in some]
    loads = [each["alerts_per_day"] for each in points]
    loads += [each["alerts"]["per_day"] for each in policies]
    losses = [each["missed_fraud"] / 100 for each in (*points, *policies)]
    made = Diagram(across(loads, least=beginning(loads)), upward(losses, least=beginning(losses)))
    for series, each in enumerate(policies):
        swept = sorted(sweep["points"].get(each["policy"], ()) if series else (),
                       key=lambda at: (at["alerts_per_day"], -at["missed_fraud"]))  # fmt: skip
        places = [(at["alerts_per_day"], at["missed_fraud"] / 100) for at in swept]
        edge = [place for place, at in zip(places, swept, strict=True) if at["frontier"]]
        made.line(series, edge)
        for (x, y), at in zip(places, swept, strict=True):
            said = (
                f"{sweep['parameter']} {at['value']:g}: {number(x)} alerts a day, {y:,.0f} missed"
            )
            made.dot(series, x, y, said, hollow=not at["frontier"])
    for series, each in enumerate(policies):
        load, loss = each["alerts"]["per_day"], each["missed_fraud"]
        said = f"{each['policy']}: {number(load)} alerts a day, {money(loss)} missed"
        made.diamond(series, load, loss / 100, said)
    told = "; ".join(
        f"{each['policy']} has {number(each['alerts']['per_day'])} alerts a day and misses"
        f" {money(each['missed_fraud'])}"
        for each in policies
    )
    title = "Loss against review load"
    image = made.drawn(title, told, ("alerts a day", "missed fraud, money"), (short, short))
    note = (
        "Diamonds are the policies as they are. Lower and further left is better; an axis may begin"
        " above nothing."
    )
    if points:
        note += (
            f" Dots are values of {sweep['parameter']}; on the line is what no other beats in both,"
            " hollow is what another does."
        )
    lines = _named(policies)[1:] if points else []
    return figure(title, note, image, legend(lines, _named(policies)))


def _named(policies: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(series, each["policy"]) for series, each in enumerate(policies)]


def _precision_recall(
    found: Document, policies: list[dict[str, Any]], names: list[str]
) -> Markup | None:
    drawn = [each for each in found["curves"]["scores"] if each["precision_recall"]]
    if not drawn:
        return None
    made = Diagram(across([1.0]), upward([1.0]))
    told, rows, keys = [], [], []
    for each in drawn:
        series, said = names.index(each["policies"][0]), ", ".join(each["policies"])
        keys.append((series, f"scores of {said}"))
        points = [(at["recall"], at["precision"]) for at in each["precision_recall"]]
        made.line(series, points)
        rows += [
            [said, at["score"], at["recall"], at["precision"]]
            for at in each["precision_recall"][:: max(1, len(points) // 20)]
        ]
    for series, policy in enumerate(policies):
        recall, precision = policy["recall"], policy["precision"]
        if recall is not None and precision is not None:
            said = (
                f"{policy['policy']} finds {share(recall)} with a precision of {share(precision)}"
            )
            made.diamond(series, recall, precision, said)
            told.append(said)
    title = "Precision and recall"
    axes = ("recall: share of frauds found", "precision: share that is fraud")
    image = made.drawn(title, "; ".join(told), axes, (percent, percent))
    note = (
        "The line is what the scores alone would reach at each threshold; diamonds are what each"
        " policy reaches with its rules and lists. Labelled payments alone count."
    )
    columns = ["Scores of", "Score", "Recall", "Precision"]
    shows = (None, lambda value: f"{value:.4f}", share, share)
    table = numbers_table("Points of the curves", columns, rows, shows)
    return figure(title, note, image, legend(keys, _named(policies)), table)


def _over_time(found: Document, kind: str) -> Markup:
    by_day = found["curves"]["by_day"]
    days, policies = by_day["days"], by_day["policies"]
    sums = [list(accumulate(each[kind])) for each in policies]
    every = [value / 100 for each in sums for value in each]
    made = Diagram(across([float(max(len(days) - 1, 1))]), upward(every))
    for series, each in enumerate(sums):
        made.line(series, [(float(n), value / 100) for n, value in enumerate(each)])
        if len(each) == 1:  # no line goes through one point
            made.dot(series, 0.0, each[0] / 100, f"{policies[series]['policy']}: {money(each[0])}")
    what = kind.partition("_")[0].capitalize()
    title = f"{what} fraud, cumulative"
    told = "; ".join(
        f"{each['policy']}: {money(value[-1])} by {days[-1]}"
        for each, value in zip(policies, sums, strict=True)
    )

    def day(at: float) -> str:
        return days[int(at)][5:] if at == int(at) and at < len(days) else ""

    axes = ("day, UTC", f"{what.lower()} fraud, money")
    image = made.drawn(title, told, axes, (day, short))
    rows = [[name, *(each[number] for each in sums)] for number, name in enumerate(days)]
    columns = ["Day", *(each["policy"] for each in policies)]
    table = numbers_table(f"{title}, by day", columns, rows, (None, *(money for _ in policies)))
    note = f"Sums of what was {what.lower()} up to each day, by the labels known now."
    return figure(title, note, image, legend(_named(policies)), table)


def _calibration(found: Document, names: list[str]) -> Markup | None:
    drawn = [each for each in found["curves"]["scores"] if each["calibration"]]
    bands = [band for each in drawn for band in each["calibration"]]
    if not bands:
        return None
    made = Diagram(
        across([1.0], logarithmic=True, least=_LEAST_SHARE),
        upward([1.0], logarithmic=True, least=_LEAST_SHARE),
    )
    made.diagonal()
    rows, keys = [], []
    for each in drawn:
        series, said = names.index(each["policies"][0]), ", ".join(each["policies"])
        keys.append((series, f"scores of {said}"))
        for band in each["calibration"]:
            x, y = band["predicted"], band["observed"]
            made.whisker(series, x, band["low"], band["high"])
            told = f"{band['rows']:,} payments scored {x:.4g} on average; {y:.4g} were fraud"
            made.dot(series, x, y, told)
            rows.append([said, x, y, band["rows"], band["frauds"]])
    title = "Calibration"
    told = f"Observed share of fraud beside the mean score, in {len(bands)} bands of scores"
    axes = ("mean score of the band", "share that was fraud")
    image = made.drawn(title, told, axes, (percent, percent))
    note = (
        "On the line, what was foretold came. Labelled payments alone count, with intervals of"
        " 95 % (Wilson); where frauds are labelled more often than others, dots lie above it."
    )
    columns = ["Scores of", "Mean score", "Observed", "Payments", "Frauds"]

    def whole(value: float) -> str:
        return f"{value:,.0f}"

    def exact(value: float) -> str:
        return f"{value:.4g}"

    shows = (None, exact, exact, whole, whole)
    return figure(title, note, image, legend(keys), numbers_table("Bands", columns, rows, shows))


def _loads(found: Document) -> list[Markup]:
    loads = found["curves"]["alerts_by_hour"]
    most = max(cell for each in loads for row in each["alerts"] for cell in row)
    made = []
    for each in loads:
        title = f"Alerts by hour: {each['policy']}"
        image, table = heat_map(title, each["alerts"], most)
        note = "Sums over the period, UTC; all policies have one scale."
        made.append(figure(title, note, image, table))
    return made
