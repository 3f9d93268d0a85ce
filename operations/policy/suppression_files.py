"""Suppressions of alerts in the policy's YAML, read with the place of every value.

suppressions:
  - name: load-test
    merchants: [m-1]            # and cards, customers, devices, or rules
    from: 2026-01-31
    until: 2026-02-02T06:00:00Z
    reason: load test of the shop, agreed with Ann
    owner: fraud team
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from domain.cleaning.unclean import UncleanError
from domain.events import Suppression
from domain.policy.suppressions import (
    MOST_NAMED,
    MOST_SUPPRESSIONS,
    faults_of_suppression,
    named_in,
)
from domain.times import from_rfc3339
from operations.policy.places import Fault, Place, place_at, place_of, values_of

MOST_TEXT = 200

_NEEDED = ("name", "from", "until", "reason", "owner")
_ENTITIES = {"cards": "card", "customers": "customer", "merchants": "merchant", "devices": "device"}
_LISTS = (*_ENTITIES, "rules")


@dataclass(frozen=True, slots=True)
class WrittenSuppression:
    """A suppression, where its keys are written, and where each item of its lists is."""

    suppression: Suppression
    places: dict[str, Place]
    items: dict[str, list[Place]]

    def place(self, key: str) -> Place:
        """Of a key, else of the suppression."""
        return self.places.get(key) or self.places[""]


def read_suppression(
    node: Any, path: str, lines: list[str], found: list[WrittenSuppression], faults: list[Fault]
) -> None:
    """Adds the suppression that a node holds, or what is wrong with it."""
    given: dict[str, Any] = {}
    places = {"": place_at(node, path)}
    items: dict[str, list[Place]] = {}
    before = len(faults)
    for name, value in values_of(node, path, (*_NEEDED, *_LISTS), faults):
        places[name] = place_of(value, path, lines)
        try:
            if name in _LISTS:
                given[name] = _texts(name, value)
                items[name] = [place_of(each, path, lines) for each in value.value]
            else:
                text = _text(name, value)
                given[name] = _moment(text) if name in ("from", "until") else text
        except ValueError as error:
            faults.append(places[name].fault(str(error)))
    missing = [name for name in _NEEDED if name not in places]
    if missing and isinstance(node, yaml.MappingNode):
        faults.append(places[""].fault(f"the suppression has no {', '.join(missing)}"))
    if len(faults) == before:
        made = Suppression(begins=given.pop("from"), **given)
        found.append(WrittenSuppression(made, places, items))


def lint_suppressions(
    found: list[WrittenSuppression],
    rules: Collection[str] | None,
    clean: Callable[[str, str], list[str]],
    faults: list[Fault],
) -> None:
    """Adds what is wrong, and puts ids in as a transaction's are cleaned.

    `rules` are the names that may be given, None where that is not known.
    """
    names, named = set[str](), 0
    for number, each in enumerate(found):
        wrong = faults_of_suppression(each.suppression)
        if each.suppression.name in names:
            wrong.append(("name", "another suppression is called so"))
        names.add(each.suppression.name)
        faults += [each.place(key).fault(f"{key} {text}".strip()) for key, text in wrong]
        found[number] = _cleaned(each, clean, faults)
        for at, name in enumerate(each.suppression.rules):
            if rules is not None and name not in rules:
                faults.append(each.items["rules"][at].fault(f"{name} is no rule"))
        named += sum(map(len, named_in(each.suppression).values()))
        if number == MOST_SUPPRESSIONS:
            faults.append(
                each.place("").fault(f"there are at most {MOST_SUPPRESSIONS} suppressions")
            )
    if named > MOST_NAMED:
        said = f"suppressions name at most {MOST_NAMED} ids and rules together, not {named}"
        faults.append(found[-1].place("").fault(said))


def _cleaned(
    written: WrittenSuppression, clean: Callable[[str, str], list[str]], faults: list[Fault]
) -> WrittenSuppression:
    given = named_in(written.suppression)
    texts: dict[str, Any] = {}
    for key, of in _ENTITIES.items():
        texts[key] = []
        for at, text in enumerate(given[key]):
            try:
                texts[key] += clean(of, text)
            except UncleanError as error:
                faults.append(written.items[key][at].fault(str(error)))
    return replace(written, suppression=replace(written.suppression, **texts))


def _texts(name: str, node: Any) -> list[str]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise ValueError(f"expected a list for {name}, such as [a, b]")
    return [_text(name, each) for each in node.value]


def _text(name: str, node: Any) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"expected one value for {name}")
    text = str(node.value).strip()
    if len(text) > MOST_TEXT:
        raise ValueError(f"a text is longer than {MOST_TEXT}")
    return text


def _moment(text: str) -> int:
    """Microseconds; a date alone is its beginning in UTC. Raises ValueError."""
    try:
        return from_rfc3339(f"{text}T00:00:00Z" if len(text) == len("2026-01-31") else text)
    except ValueError:
        raise ValueError("expected a date or time such as 2026-01-31T08:00:00Z") from None
