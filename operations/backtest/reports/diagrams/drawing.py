"""Drawing of a diagram as SVG: scales, axes, lines and points. Colours are those of the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from operations.backtest.reports.markup import Markup, tag

WIDTH, HEIGHT = 480.0, 330.0
LEFT, RIGHT, TOP, BOTTOM = 88.0, 26.0, 12.0, 54.0
SERIES = 6
"""Colours of the page; the first is the baseline's."""

_TICKS = 5

Label = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on pixels from `begin` to `end`."""

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        low, high, here = (self._of(each) for each in (self.low, self.high, value))
        part = (here - low) / (high - low) if high > low else 0.5
        return self.begin + min(max(part, 0.0), 1.0) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        if self.logarithmic:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            return [10.0**power for power in powers]
        step = _round_step((self.high - self.low) / _TICKS)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _of(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.logarithmic else value


def across(values: Sequence[float], *, logarithmic: bool = False, least: float = 0.0) -> Scale:
    """A scale from left to right that holds all `values`, from `least` on."""
    return Scale(*_bounds(values, least, logarithmic), LEFT, WIDTH - RIGHT, logarithmic)


def upward(values: Sequence[float], *, logarithmic: bool = False, least: float = 0.0) -> Scale:
    """As `across`, from the bottom to the top."""
    return Scale(*_bounds(values, least, logarithmic), HEIGHT - BOTTOM, TOP, logarithmic)


def _bounds(values: Sequence[float], least: float, logarithmic: bool) -> tuple[float, float]:
    high = max([*values, least])
    if logarithmic:
        return least, max(high, least * 10)
    # Nothing that is counted or paid is so small, and steps would be none.
    return least, high if high - least > 1e-300 else least + 1.0


def beginning(values: Sequence[float]) -> float:
    """Where an axis begins: not at nothing where all values are far from it."""
    low, high = min(values), max(values)
    return 0.0 if low < high / 2 else max(0.0, low - (high - low) / 5 - high / 50)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= rough * (1 - 1e-9))


@dataclass(slots=True)
class Diagram:
    """Axes with what is drawn between them."""

    x: Scale
    y: Scale
    _parts: list[Markup] = field(default_factory=list)

    def line(self, series: int, points: Iterable[tuple[float, float]]) -> None:
        """Through (x, y) in the order given."""
        places = [(self.x.at(a), self.y.at(b)) for a, b in points]
        path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        if places:
            self._parts.append(tag("path", d=path, class_=f"line {colour(series)}"))

    def dot(self, series: int, x: float, y: float, said: str, *, hollow: bool = False) -> None:
        """A point that says what it is where it is pointed at."""
        kind = f"dot {colour(series)}{' hollow' if hollow else ''}"
        place = {"cx": self.x.at(x), "cy": self.y.at(y)}
        self._parts.append(tag("circle", tag("title", said), r=4.5, class_=kind, **place))

    def diamond(self, series: int, x: float, y: float, said: str) -> None:
        """As `dot`, for what stands out."""
        a, b = self.x.at(x), self.y.at(y)
        path = f"M{a:.1f} {b - 8:.1f}l8 8l-8 8l-8 -8z"
        kind = f"diamond {colour(series)}"
        self._parts.append(tag("path", tag("title", said), d=path, class_=kind))

    def whisker(self, series: int, x: float, low: float, high: float) -> None:
        """An interval of y."""
        a, low, high = self.x.at(x), self.y.at(low), self.y.at(high)
        path = f"M{a:.1f} {low:.1f}V{high:.1f}m-4 0h8M{a - 4:.1f} {low:.1f}h8"
        self._parts.append(tag("path", d=path, class_=f"whisker {colour(series)}"))

    def diagonal(self) -> None:
        """Where y is x."""
        low, high = max(self.x.low, self.y.low), min(self.x.high, self.y.high)
        places = [(self.x.at(each), self.y.at(each)) for each in (low, high)]
        path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        self._parts.append(tag("path", d=path, class_="guide"))

    def drawn(
        self, title: str, said: str, names: tuple[str, str], labels: tuple[Label, Label]
    ) -> Markup:
        """`said` tells those who do not see it what it shows; `names` are of the axes."""
        return picture(title, said, [*self._grid(labels), *self._parts, *self._names(names)])

    def _grid(self, labels: tuple[Label, Label]) -> list[Markup]:
        bottom, parts = HEIGHT - BOTTOM, []
        for each in self.y.ticks():
            at = self.y.at(each)
            parts.append(tag("path", d=f"M{LEFT} {at:.1f}H{WIDTH - RIGHT}", class_="grid"))
            parts.append(tag("text", labels[1](each), x=LEFT - 7, y=at + 4.5, class_="tick right"))
        for each in self.x.ticks():
            at = self.x.at(each)
            parts.append(tag("path", d=f"M{at:.1f} {bottom}v5", class_="axis"))
            parts.append(tag("text", labels[0](each), x=at, y=bottom + 20, class_="tick middle"))
        parts.append(tag("path", d=f"M{LEFT} {bottom}H{WIDTH - RIGHT}", class_="axis"))
        return parts

    def _names(self, names: tuple[str, str]) -> list[Markup]:
        middle = (LEFT + WIDTH - RIGHT) / 2
        up = (TOP + HEIGHT - BOTTOM) / 2
        turned = f"translate(14 {up:.0f}) rotate(-90)"
        return [
            tag("text", names[0], x=middle, y=HEIGHT - 10, class_="name middle"),
            tag("text", names[1], transform=turned, class_="name middle"),
        ]


def picture(
    title: str, said: str, parts: Iterable[Markup], size: tuple[float, float] = (WIDTH, HEIGHT)
) -> Markup:
    """An image whose text is read aloud: its title, then what it shows."""
    box = f"0 0 {size[0]:.0f} {size[1]:.0f}"
    return tag("svg", *parts, viewBox=box, role="img", aria_label=f"{title}. {said}")


def colour(series: int) -> str:
    """The class of a series; those beyond the colours begin again after the baseline's."""
    return f"s{series if series < SERIES else 1 + (series - 1) % (SERIES - 1)}"


def short(value: float) -> str:
    """Of a tick: 12k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.6g}{letter}"
    return f"{value:.6g}"


def percent(value: float) -> str:
    return f"{100 * value:.6g} %"
