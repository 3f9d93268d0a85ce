"""Heat map of alerts: hour of the day by day of the week."""

from __future__ import annotations

from operations.backtest.reports.diagrams.drawing import picture
from operations.backtest.reports.markup import Markup, tag
from operations.backtest.reports.tables import Cell, numbers_table

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WIDTH, _LEFT, _TOP = 480.0, 44.0, 6.0
_CELL, _HIGH = (_WIDTH - _LEFT - 2) / 24, 22.0
_FAINT = 0.06


def heat_map(title: str, alerts: list[list[int]], most: int) -> tuple[Markup, Markup]:
    """`alerts` [7][24], Monday first; `most` is the darkest. The image, and a table of the same."""
    parts = []
    for day, row in enumerate(alerts):
        y = _TOP + day * _HIGH
        parts.append(tag("text", DAYS[day], x=_LEFT - 7, y=y + 16, class_="tick right"))
        for hour, number in enumerate(row):
            said = f"{DAYS[day]} {hour}:00 to {hour + 1}:00: {number:,} alerts"
            depth = _FAINT + (1 - _FAINT) * number / most if number else _FAINT
            parts.append(
                tag("rect", tag("title", said), x=_LEFT + hour * _CELL, y=y, width=_CELL - 1,
                    height=_HIGH - 1, class_="heat", fill_opacity=depth)
            )  # fmt: skip
    bottom = _TOP + 7 * _HIGH
    for hour in range(0, 24, 6):
        at = _LEFT + hour * _CELL
        parts.append(tag("text", f"{hour}:00", x=at, y=bottom + 18, class_="tick"))
    busiest = max(range(7 * 24), key=lambda at: (alerts[at // 24][at % 24], -at))
    day, hour = divmod(busiest, 24)
    told = f"Most come {DAYS[day]} from {hour}:00 on: {alerts[day][hour]:,} of {most:,} at most"
    image = picture(title, told, parts, (_WIDTH, bottom + 26))
    rows: list[list[Cell]] = [[f"{h}:00", *(row[h] for row in alerts)] for h in range(24)]
    shows = (None, *([lambda value: f"{value:,.0f}"] * 7))
    return image, numbers_table(f"{title}, as numbers", ["Hour", *DAYS], rows, shows)
