"""Markup: elements of HTML and SVG. What is no `Markup` is text, and is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = {"meta", "br"}


class Markup(str):
    """Text that is HTML already, because `tag` made it."""

    __slots__ = ()


Child = str | None
Value = str | float | None


def tag(name: str, /, *children: Child, **attributes: Value) -> Markup:
    """An element. Underscores of attributes are hyphens, one at the end is left out, so that
    `class_` and `stroke_width` can be written; those that are None are left out."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Markup:
    """One after the other; None is nothing."""
    return Markup("".join(_safe(each) for each in children if each is not None))


def _safe(child: str) -> str:
    return child if isinstance(child, Markup) else escape(child)


def _value(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)
