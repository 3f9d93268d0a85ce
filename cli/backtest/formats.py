"""Figures of a backtest as text."""


def words(name: str) -> str:
    return name.replace("_", " ")


def money(minor: float) -> str:
    return f"{minor / 100:,.0f}"


def share(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"


def number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.1f}".removesuffix(".0")
