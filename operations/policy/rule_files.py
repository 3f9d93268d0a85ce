"""Files of the policy in YAML, read with the place of every value: rules and lists, and the rest.

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
lists:
  - name: stolen-cards
    of: card
    purpose: deny
    owner: fraud team
    file: stolen-cards.csv

Routes, thresholds, exploration, suppressions and features lie under keys of their own, in the same
files or in others (route_files.py, threshold_files.py, suppression_files.py, feature_files.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from domain.errors import InvalidInputError
from domain.events import DeclaredList, ListEntry, PolicyContent, Rule
from operations.policy.feature_files import WrittenFeature, outside_catalogue, read_feature, text_of
from operations.policy.places import Fault, Place, basis_points, place_at, place_of
from operations.policy.route_files import WrittenRoute, read_route
from operations.policy.suppression_files import WrittenSuppression, read_suppression
from operations.policy.threshold_files import (
    WrittenExploration,
    WrittenThresholds,
    read_exploration,
    read_thresholds,
)

_LISTED = ("rules", "lists", "routes", "suppressions", "features")
_MAPPINGS = ("thresholds", "exploration")
_KEYS = {"when": "condition"}
_TEXTS = ("name", "code", "words", "when", "action", "severity", "owner")
_OTHERS = ("points", "shadow", "share", "explore")
_LIST_TEXTS = ("name", "of", "purpose", "owner")
_LIST_OTHERS = ("attribute", "file")


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule, and where its fields are written, by their names in `Rule`."""

    rule: Rule
    places: dict[str, Place]

    def place(self, name: str) -> Place:
        """Of a field, else of the rule."""
        return self.places.get(name) or self.places[""]


@dataclass(frozen=True, slots=True)
class WrittenList:
    """A list, where its fields are written, and the file of its entries, if one is named."""

    declared: DeclaredList
    file: Path | None
    places: dict[str, Place]

    def place(self, name: str) -> Place:
        """Of a field, else of the list."""
        return self.places.get(name) or self.places[""]


@dataclass(slots=True)
class RuleFiles:
    """What the files of a folder hold, in the order of their names.

    `entries` are by name of those lists that name a file. `keys` are those that the files have:
    publishing changes nothing that no file speaks of, and lists are published with rules.
    """

    rules: list[WrittenRule] = field(default_factory=list)
    lists: list[WrittenList] = field(default_factory=list)
    routes: list[WrittenRoute] = field(default_factory=list)
    thresholds: list[WrittenThresholds] = field(default_factory=list)
    exploration: list[WrittenExploration] = field(default_factory=list)
    suppressions: list[WrittenSuppression] = field(default_factory=list)
    features: list[WrittenFeature] = field(default_factory=list)
    entries: dict[str, list[ListEntry]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    @property
    def content(self) -> PolicyContent:
        """Without the places; of files that have no faults."""
        return PolicyContent(
            keys=sorted(self.keys),
            rules=[each.rule for each in self.rules],
            lists=[each.declared for each in self.lists],
            routes=[each.route for each in self.routes],
            thresholds=self.thresholds[0].thresholds if self.thresholds else None,
            suppressions=[each.suppression for each in self.suppressions],
            entries=self.entries,
            exploration=self.exploration[0].share if self.exploration else 0,
            features=text_of(outside_catalogue(self.features)),
        )


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
    nodes = _nodes(root)
    if nodes is None:
        wanted = f"expected the keys {', '.join(_LISTED)}, each with a list, and"
        wanted += f" {' and '.join(_MAPPINGS)}, or some of them"
        found.faults.append(Fault(path, 1, 1, wanted))
        return
    lines = text.splitlines()
    found.keys.update(nodes)
    for node in nodes.get("rules", []):
        read = _read(node, path, lines, found.faults, _TEXTS, _OTHERS)
        if read is not None:
            found.rules.append(WrittenRule(Rule(**read[0]), read[1]))
    for node in nodes.get("lists", []):
        read = _read(node, path, lines, found.faults, _LIST_TEXTS, _LIST_OTHERS)
        if read is not None:
            file = read[0].pop("file", None)
            beside = None if file is None else Path(path).parent / file
            found.lists.append(WrittenList(DeclaredList(**read[0]), beside, read[1]))
    for node in nodes.get("routes", []):
        read_route(node, path, lines, found.routes, found.faults)
    for node in nodes.get("suppressions", []):
        read_suppression(node, path, lines, found.suppressions, found.faults)
    for node in nodes.get("features", []):
        read_feature(node, path, found.features, found.faults)
    for node in nodes.get("thresholds", []):
        read_thresholds(node, path, found.thresholds, found.faults)
    for node in nodes.get("exploration", []):
        read_exploration(node, path, found.exploration, found.faults)


def _nodes(root: Any) -> dict[str, list[Any]] | None:
    """By key; of the mappings each is one."""
    if not isinstance(root, yaml.MappingNode) or not root.value:
        return None
    found = {key.value: value for key, value in root.value}
    if len(found) < len(root.value) or not found.keys() <= {*_LISTED, *_MAPPINGS}:
        return None
    kinds = {key: yaml.MappingNode if key in _MAPPINGS else yaml.SequenceNode for key in found}
    if not all(isinstance(value, kinds[key]) for key, value in found.items()):
        return None
    return {k: [value] if k in _MAPPINGS else list(value.value) for k, value in found.items()}


def _read(
    node: Any,
    path: str,
    lines: list[str],
    faults: list[Fault],
    required: tuple[str, ...],
    others: tuple[str, ...],
) -> tuple[dict[str, Any], dict[str, Place]] | None:
    """Values and places by field; None where there are faults."""
    here = place_at(node, path)
    if not isinstance(node, yaml.MappingNode):
        faults.append(here.fault(f"expected {', '.join(required)} and more"))
        return None
    given: dict[str, Any] = {}
    places: dict[str, Place] = {"": here}
    before = len(faults)
    for key, value in node.value:
        at = place_at(key, path)
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if name not in (*required, *others) or _KEYS.get(name, name) in given:
            known = ", ".join((*required, *others))
            twice = _KEYS.get(name, name) in given
            said = "is given twice" if twice else f"is none of {known}"
            faults.append(at.fault(f"{name} {said}"))
            continue
        places[_KEYS.get(name, name)] = place = place_of(value, path, lines)
        try:
            given[_KEYS.get(name, name)] = _value(name, value)
        except ValueError as error:
            faults.append(place.fault(str(error)))
    missing = [name for name in required if _KEYS.get(name, name) not in places]
    if missing:
        faults.append(here.fault(f"it has no {', '.join(missing)}"))
    return (given, places) if len(faults) == before else None


def _value(name: str, node: Any) -> Any:
    """Raises ValueError in words for the file's writer."""
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"expected one value for {name}")
    text: str = node.value.rstrip("\n")
    if name in ("shadow", "explore"):
        if node.tag != "tag:yaml.org,2002:bool":
            raise ValueError("expected true or false")
        return text.lower() in ("true", "yes", "on")
    if name == "points":
        if not text.lstrip("+-").isdecimal():
            raise ValueError("expected hundredths of the score, such as 20 or -10")
        return int(text)
    return basis_points(text) if name == "share" else text
