"""Diagram of rows: under each heading a line for each policy, on a scale that these share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from operations.backtest.reports.diagrams.drawing import WIDTH, Label, Scale, beginning, colour
from operations.backtest.reports.diagrams.drawing import picture as drawn
from operations.backtest.reports.markup import Markup, tag

_LEFT, _RIGHT = 12.0, 180.0
_HEADING, _ROW, _AXIS = 30.0, 26.0, 34.0


@dataclass(frozen=True, slots=True)
class Row:
    """From a `hollow` mark to a `full` one, or an interval around the full one.

    `told` stands beside it, and `said` tells what it is where it is pointed at.
    """

    series: int
    full: float
    told: str
    said: str
    hollow: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def values(self) -> list[float]:
        found = [self.full, *(self.interval or ())]
        return found if self.hollow is None else [*found, self.hollow]


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows of one figure; `label` writes the numbers of its axis, which begins at nothing where
    it is `from_nothing`, and else nearer to its values."""

    heading: str
    rows: Sequence[Row]
    label: Label
    from_nothing: bool = False


def panels(title: str, said: str, made: Sequence[Panel]) -> Markup:
    """One below the other. `said` tells those who do not see it what it shows."""
    parts: list[Markup] = []
    top = 0.0
    for each in made:
        parts.append(tag("text", each.heading, x=_LEFT, y=top + 18, class_="name"))
        top += _HEADING
        parts += _panel(each, top)
        top += _ROW * len(each.rows) + _AXIS
    return drawn(title, said, parts, (WIDTH, top))


def _panel(made: Panel, top: float) -> list[Markup]:
    values = [value for row in made.rows for value in row.values]
    least, most = 0.0 if made.from_nothing else beginning(values), max(values)
    scale = Scale(least, most if most > least else least + 1.0, _LEFT, WIDTH - _RIGHT)
    bottom = top + _ROW * len(made.rows)
    parts = []
    for each in scale.ticks():
        at = scale.at(each)
        parts.append(tag("path", d=f"M{at:.1f} {top}V{bottom}", class_="grid"))
        parts.append(
            tag("text", made.label(each), x=at, y=bottom + 17,
                class_=f"tick {'middle' if at > _LEFT + 20 else ''}".strip())
        )  # fmt: skip
    parts.append(tag("path", d=f"M{_LEFT} {bottom}H{WIDTH - _RIGHT}", class_="axis"))
    for number, row in enumerate(made.rows):
        parts.append(_row(row, scale, top + (number + 0.5) * _ROW))
    return parts


def _row(row: Row, scale: Scale, y: float) -> Markup:
    at = scale.at(row.full)
    parts = [tag("title", row.said)]
    if row.interval is not None:
        low, high = (scale.at(each) for each in row.interval)
        path = f"M{low:.1f} {y - 5}v10m0 -5H{high:.1f}m0 -5v10"
        parts.append(tag("path", d=path, class_=f"whisker {colour(row.series)}"))
    if row.hollow is not None:
        begin = scale.at(row.hollow)
        if row.interval is None:
            path = f"M{begin:.1f} {y}H{at:.1f}"
            parts.append(tag("path", d=path, class_=f"whisker {colour(row.series)}"))
        kind = f"dot {colour(row.series)} hollow"
        parts.append(tag("circle", cx=begin, cy=y, r=5.5, class_=kind))
    parts.append(tag("circle", cx=at, cy=y, r=4.5, class_=f"dot {colour(row.series)}"))
    parts.append(tag("text", row.told, x=WIDTH - _RIGHT + 16, y=y + 4.5, class_="value"))
    return tag("g", *parts)
