"""Words for figures of a backtest, on the screen and on the page."""

from collections.abc import Callable

Show = Callable[[float], str]
MONEY = ("saved", "lost", "genuine_declined_money", "missed_fraud", "caught_fraud")
"""Figures in minor units of the base currency."""


def words(name: str) -> str:
    return name.replace("_", " ")


def money(minor: float) -> str:
    return f"{minor / 100:,.0f}"


def share(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"


def number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.1f}".removesuffix(".0")


def between(interval: tuple[float, float] | None, show: Show) -> str:
    return "unknown" if interval is None else f"{show(interval[0])} to {show(interval[1])}"


def shown(name: str) -> Show:
    """How the figure of that name is written."""
    if name in MONEY:
        return money
    return share if "precision" in name or "recall" in name else number


def span(seconds: float) -> str:
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 36_000 else f"{seconds / 3600:.0f} h"
