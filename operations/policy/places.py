"""Places in YAML files of the policy, and what is wrong there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong at a line and column of a file, both from 1."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value begins in a file, and whether its lines stand there as they were written."""

    path: str
    line: int
    column: int
    indent: int = 0

    def fault(self, message: str, line: int = 1, column: int = 1) -> Fault:
        """Of a line and column within the value."""
        start = self.column if line == 1 else self.indent
        return Fault(self.path, self.line + line - 1, start + column - 1, message)


def place_at(node: Any, path: str) -> Place:
    """Where a node of the YAML tree begins."""
    return Place(path, node.start_mark.line + 1, node.start_mark.column + 1)


def place_of(node: Any, path: str, lines: list[str]) -> Place:
    """Where the text of a value begins: behind its quotes, or below the sign of a block."""
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    style = getattr(node, "style", None)
    if style in ("|", ">"):
        # The text begins on the line below, and each of its lines is indented alike.
        below = lines[line] if line < len(lines) else ""
        indent = len(below) - len(below.lstrip()) + 1
        return Place(path, line + 1, indent, indent)
    return Place(path, line, column + (style in ('"', "'")), 1)


def values_of(
    node: Any, path: str, keys: Collection[str], faults: list[Fault]
) -> Iterator[tuple[str, Any]]:
    """(key, node of its value) of a mapping; keys of another name, and repeated ones, are faults.

    What is no mapping is a fault, and has none.
    """
    if not isinstance(node, yaml.MappingNode):
        faults.append(place_at(node, path).fault(f"expected {', '.join(keys)}"))
        return
    seen = set[str]()
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if name in keys and name not in seen:
            seen.add(name)
            yield name, value
            continue
        said = "is given twice" if name in seen else f"is none of {', '.join(keys)}"
        faults.append(place_at(key, path).fault(f"{name} {said}"))


def basis_points(text: str) -> int:
    """Of a share such as `10%` or `0.5%`. Raises ValueError in words for the file's writer."""
    try:
        points = Decimal(text.removesuffix("%").strip()) * 100
    except InvalidOperation:
        points = Decimal(-1)
    if not text.endswith("%") or points != points.to_integral_value() or not 0 <= points <= 10_000:
        raise ValueError("expected 0% to 100%, in hundredths, such as 10% or 0.5%")
    return int(points)
