"""Rules in YAML files of a folder, read with the place of every value.

rules:
  - name: cards-of-device
    code: card_testing
    words: "{device_distinct_cards_1d} cards from this device in the last day"
    when: device_distinct_cards_1d >= 4.0
    action: decline
    severity: high
    owner: fraud team
    shadow: true
    share: 10%
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from domain.errors import InvalidInputError
from domain.events import Rule

_KEYS = {"when": "condition"}
_TEXTS = ("name", "code", "words", "when", "action", "severity", "owner")
_OTHERS = ("points", "shadow", "share")


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


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule, and where its fields are written, by their names in `Rule`."""

    rule: Rule
    places: dict[str, Place]

    def place(self, name: str) -> Place:
        """Of a field, else of the rule."""
        return self.places.get(name) or self.places[""]


@dataclass(slots=True)
class RuleFiles:
    """What the files of a folder hold; rules are in the order of the files' names."""

    rules: list[WrittenRule] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_folder(folder: Path) -> RuleFiles:
    """Of all *.yaml and *.yml. Raises InvalidInputError where there are none."""
    if not folder.is_dir():
        raise InvalidInputError("FOLDER", f"there is no folder {folder}")
    found = RuleFiles()
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    if not paths:
        raise InvalidInputError("FOLDER", f"{folder} has no file that ends in .yaml")
    for path in paths:
        read_text(path.read_text(encoding="utf-8", errors="replace"), str(path), found)
    return found


def read_text(text: str, path: str, found: RuleFiles) -> None:
    """Adds what one file holds, faults included."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        found.faults.append(Fault(path, line, column, f"is no YAML: {error.problem}"))
        return
    entries = _entries(root)
    if entries is None:
        found.faults.append(Fault(path, 1, 1, "expected the key rules with a list of rules"))
        return
    lines = text.splitlines()
    for node in entries:
        _read_rule(node, path, lines, found)


def _entries(root: Any) -> list[Any] | None:
    if not isinstance(root, yaml.MappingNode) or len(root.value) != 1:
        return None
    key, value = root.value[0]
    if key.value != "rules" or not isinstance(value, yaml.SequenceNode):
        return None
    return list(value.value)


def _read_rule(node: Any, path: str, lines: list[str], found: RuleFiles) -> None:
    here = Place(path, node.start_mark.line + 1, node.start_mark.column + 1)
    if not isinstance(node, yaml.MappingNode):
        found.faults.append(here.fault("expected a rule: name, when, action and more"))
        return
    given: dict[str, Any] = {}
    places: dict[str, Place] = {"": here}
    before = len(found.faults)
    for key, value in node.value:
        at = Place(path, key.start_mark.line + 1, key.start_mark.column + 1)
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if name not in (*_TEXTS, *_OTHERS) or _KEYS.get(name, name) in given:
            known = ", ".join((*_TEXTS, *_OTHERS))
            twice = _KEYS.get(name, name) in given
            said = "is given twice" if twice else f"is none of {known}"
            found.faults.append(at.fault(f"{name} {said}"))
            continue
        places[_KEYS.get(name, name)] = place = _place_of(value, path, lines)
        try:
            given[_KEYS.get(name, name)] = _value(name, value)
        except ValueError as error:
            found.faults.append(place.fault(str(error)))
    missing = [name for name in _TEXTS if _KEYS.get(name, name) not in places]
    if missing:
        found.faults.append(here.fault(f"the rule has no {', '.join(missing)}"))
    if len(found.faults) == before:
        found.rules.append(WrittenRule(Rule(**given), places))


def _place_of(node: Any, path: str, lines: list[str]) -> Place:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    style = getattr(node, "style", None)
    if style in ("|", ">"):
        # The text begins on the line below, and each of its lines is indented alike.
        below = lines[line] if line < len(lines) else ""
        indent = len(below) - len(below.lstrip()) + 1
        return Place(path, line + 1, indent, indent)
    return Place(path, line, column + (style in ('"', "'")), 1)


def _value(name: str, node: Any) -> Any:
    """Raises ValueError in words for the file's writer."""
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"expected one value for {name}")
    text: str = node.value.rstrip("\n")
    if name == "shadow":
        if node.tag != "tag:yaml.org,2002:bool":
            raise ValueError("expected true or false")
        return text.lower() in ("true", "yes", "on")
    if name == "points":
        if not text.lstrip("+-").isdecimal():
            raise ValueError("expected hundredths of the score, such as 20 or -10")
        return int(text)
    return _basis_points(text) if name == "share" else text


def _basis_points(text: str) -> int:
    try:
        points = Decimal(text.removesuffix("%").strip()) * 100
    except InvalidOperation:
        points = Decimal(-1)
    if not text.endswith("%") or points != points.to_integral_value() or not 0 <= points <= 10_000:
        raise ValueError("expected 0% to 100%, in hundredths, such as 10% or 0.5%")
    return int(points)
