"""Routes of alerts in the policy's YAML, read with the place of every value.

routes:
  - name: pager
    to: pagerduty
    secret: PAGER            # the setting RETRACE_SECRET_PAGER
    severity: high           # or more
    merchants: [m-1, m-2]
    base_amount_minor: 50000 # or more
    days: [mon, tue, wed, thu, fri]
    hours: 22:00-06:00
    zone: Europe/Berlin
    at_most: 10              # messages a minute
    overdue: true            # cases that nobody dealt with in time, too
    replies: PAGER_REPLIES   # the setting RETRACE_SECRET_PAGER_REPLIES
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from commands.alerts.routing import faults_of
from domain.events import Route
from operations.policy.places import Fault, Place, place_at, place_of

_FIELDS = {
    **dict.fromkeys(("name", "to", "url", "secret", "replies", "severity", "hours", "zone"), str),
    **dict.fromkeys(("merchants", "days", "addresses"), list),
    **dict.fromkeys(("base_amount_minor", "at_most"), int),
    "overdue": bool,
    "from": str,
}
_KEYS = {"from": "sender", "addresses": "recipients", "base_amount_minor": "amount"}
_NEEDED = ("name", "to")


@dataclass(frozen=True, slots=True)
class WrittenRoute:
    """A route, and where its keys are written."""

    route: Route
    places: dict[str, Place]

    def place(self, key: str) -> Place:
        """Of a key, else of the route."""
        return self.places.get(key) or self.places[""]


def read_route(
    node: Any, path: str, lines: list[str], routes: list[WrittenRoute], faults: list[Fault]
) -> None:
    """Adds the route that a node holds, or what is wrong with it."""
    here = place_at(node, path)
    if not isinstance(node, yaml.MappingNode):
        faults.append(here.fault("expected a route: name, to and more"))
        return
    given: dict[str, Any] = {}
    places = {"": here}
    before = len(faults)
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if name not in _FIELDS or name in places:
            said = "is given twice" if name in places else f"is none of {', '.join(_FIELDS)}"
            faults.append(place_at(key, path).fault(f"{name} {said}"))
            continue
        places[name] = place_of(value, path, lines)
        try:
            given[_KEYS.get(name, name)] = _value(name, value)
        except ValueError as error:
            faults.append(places[name].fault(str(error)))
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        faults.append(here.fault(f"the route has no {', '.join(missing)}"))
    if len(faults) > before:
        return
    made = WrittenRoute(Route(**given), places)
    faults += [made.place(key).fault(f"{key} {text}") for key, text in faults_of(made.route)]
    routes.append(made)


def _value(name: str, node: Any) -> Any:
    """Raises ValueError in words for the file's writer."""
    if _FIELDS[name] is list:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise ValueError(f"expected a list for {name}, such as [a, b]")
        return [_scalar(name, each) for each in node.value]
    text = _scalar(name, node)
    if _FIELDS[name] is bool:
        if text not in ("true", "false"):
            raise ValueError(f"expected true or false for {name}")
        return text == "true"
    if _FIELDS[name] is int:
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"expected a whole number for {name}")
        return int(text)
    return text


def _scalar(name: str, node: Any) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"expected one value for {name}")
    return str(node.value)
