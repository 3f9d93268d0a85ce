"""Checked syntax tree of a condition, as far as rules use the language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Constant = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant of the condition."""

    value: Constant


@dataclass(frozen=True, slots=True)
class Name:
    """What a rule sees, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of conditions or values."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function. `overload` names it together with the types of its arguments."""

    overload: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """What rules may not use; `what` says it in words."""

    what: str


Node = Literal | Name | Listed | Call | Other


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    if isinstance(node, Call):
        below = node.arguments
    elif isinstance(node, Listed):
        below = node.items
    else:
        return
    for each in below:
        yield from walk(each)
