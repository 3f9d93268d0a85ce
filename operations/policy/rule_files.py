"""Rules and routes in YAML files of a folder, read with the place of every value.

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

Routes lie under the key `routes`, in the same files or in others (route_files.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from domain.errors import InvalidInputError
from domain.events import Rule
from operations.policy.places import Fault, Place, place_at, place_of
from operations.policy.route_files import WrittenRoute, read_route

_KEYS = {"when": "condition"}
_TEXTS = ("name", "code", "words", "when", "action", "severity", "owner")
_OTHERS = ("points", "shadow", "share")


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
    """What the files of a folder hold, in the order of their names.

    `keys` are those that they have: publishing changes nothing that no file speaks of.
    """

    rules: list[WrittenRule] = field(default_factory=list)
    routes: list[WrittenRoute] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
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
    lists = _lists(root)
    if lists is None:
        wanted = "expected the keys rules and routes, or one of them, each with a list"
        found.faults.append(Fault(path, 1, 1, wanted))
        return
    lines = text.splitlines()
    for key, nodes in lists.items():
        found.keys.add(key)
        for node in nodes:
            if key == "rules":
                _read_rule(node, path, lines, found)
            else:
                read_route(node, path, lines, found.routes, found.faults)


def _lists(root: Any) -> dict[str, list[Any]] | None:
    if not isinstance(root, yaml.MappingNode) or not root.value:
        return None
    found: dict[str, list[Any]] = {}
    for key, value in root.value:
        known = key.value in ("rules", "routes") and key.value not in found
        if not known or not isinstance(value, yaml.SequenceNode):
            return None
        found[key.value] = list(value.value)
    return found


def _read_rule(node: Any, path: str, lines: list[str], found: RuleFiles) -> None:
    here = place_at(node, path)
    if not isinstance(node, yaml.MappingNode):
        found.faults.append(here.fault("expected a rule: name, when, action and more"))
        return
    given: dict[str, Any] = {}
    places: dict[str, Place] = {"": here}
    before = len(found.faults)
    for key, value in node.value:
        at = place_at(key, path)
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if name not in (*_TEXTS, *_OTHERS) or _KEYS.get(name, name) in given:
            known = ", ".join((*_TEXTS, *_OTHERS))
            twice = _KEYS.get(name, name) in given
            said = "is given twice" if twice else f"is none of {known}"
            found.faults.append(at.fault(f"{name} {said}"))
            continue
        places[_KEYS.get(name, name)] = place = place_of(value, path, lines)
        try:
            given[_KEYS.get(name, name)] = _value(name, value)
        except ValueError as error:
            found.faults.append(place.fault(str(error)))
    missing = [name for name in _TEXTS if _KEYS.get(name, name) not in places]
    if missing:
        found.faults.append(here.fault(f"the rule has no {', '.join(missing)}"))
    if len(found.faults) == before:
        found.rules.append(WrittenRule(Rule(**given), places))


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
