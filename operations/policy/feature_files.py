"""Features that a policy's YAML declares beside the catalogue, read with the place of every value.

features:
  - name: card_amount_sum_2h
    meaning: sum of the card's amounts in the last 2 hours
    entity: card
    aggregation: sum
    field: amount
    window: 2h
    resolution: 2m

Words are those of docs/features.md. Such a folder can be tried on the past, and is not published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import partial
from math import isfinite
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from commands.ports import RuleLanguage
from domain.durations import parse_duration
from domain.errors import InvalidInputError
from domain.features import CATALOGUE, DeclarationError, Entity, Feature, FeatureSet
from domain.features.declarations.feature import (
    MAX_TILES,
    OF_LABELS,
    Aggregation,
    Field,
    Filter,
    fields_of,
)
from domain.features.declarations.windows import TILE_OF_LABELS, TILES, Window
from domain.rule_values import TYPES
from domain.times import SECOND
from operations.policy.places import Fault, Place, place_at, values_of

_NEEDED = ("name", "meaning", "aggregation")
_IN_CATALOGUE = {feature.name: feature for feature in CATALOGUE.features}


@dataclass(frozen=True, slots=True)
class WrittenFeature:
    """A feature, and where its keys are written."""

    feature: Feature
    places: Mapping[str, Place]

    def fault(self, key: str, message: str) -> Fault:
        """At a key, else at the feature; it names both."""
        return _fault(self.places.get(key) or self.places[""], self.feature.name, key, message)


def read_feature(node: Any, path: str, found: list[WrittenFeature], faults: list[Fault]) -> None:
    """Adds what a node holds, or what is wrong with it."""
    wrong: list[Fault] = []
    nodes = dict(values_of(node, path, tuple(_READ), wrong))
    name = str(nodes["name"].value) if isinstance(nodes.get("name"), yaml.ScalarNode) else "?"
    places = {"": place_at(node, path), **{k: place_at(v, path) for k, v in nodes.items()}}
    given: dict[str, Any] = {}
    for key, value in nodes.items():
        try:
            given[key] = _read(key, value)
        except ValueError as error:
            wrong.append(places[key].fault(f"{key} {error}"))
    missing = [key for key in _NEEDED if key not in nodes]
    if missing and not wrong:
        wrong.append(places[""].fault(f"it has no {', '.join(missing)}"))
    # Whose it is stands in front of whatever is wrong with it.
    faults += [Fault(f.path, f.line, f.column, f"feature {name}: {f.message}") for f in wrong]
    if wrong:
        return
    try:
        feature = _declared(given)
        feature.check()
        found.append(WrittenFeature(feature, places))
    except DeclarationError as error:
        place = places.get(error.key) or places[""]
        faults.append(_fault(place, name, error.key, error.message))


def lint_features(
    found: Iterable[WrittenFeature], language: RuleLanguage, faults: list[Fault]
) -> list[str]:
    """Adds what is wrong with them together; returns the names that conditions may use."""
    first: dict[str, WrittenFeature] = {}
    for each in found:
        name = each.feature.name
        same = _IN_CATALOGUE.get(name)
        if name in first:
            there = first[name].places[""]
            text = f"another feature is called so, at {there.path}:{there.line}"
            faults.append(each.fault("name", text))
        elif same is not None and same.definition != each.feature.definition:
            text = (
                "the catalogue has another feature of this name: give yours another name, or take"
                " it away to use the catalogue's"
            )
            faults.append(each.fault("name", text))
        elif same is None and (name in TYPES or language.knowing([name]).faults(f"{name} > 0.0")):
            faults.append(each.fault("name", "a condition cannot use this name: give another one"))
        else:
            first[name] = each
    return [name for name in first if name not in _IN_CATALOGUE]


def outside_catalogue(found: Iterable[WrittenFeature]) -> list[Feature]:
    """Those that the catalogue does not have just so."""
    return [each.feature for each in found if each.feature.name not in _IN_CATALOGUE]


def text_of(features: list[Feature]) -> str:
    """As `PolicyContent` has it."""
    return FeatureSet(features).to_json() if features else ""


def refuse_outside_catalogue(text: str) -> None:
    """Raises InvalidInputError where a policy declares features."""
    if text:
        names = ", ".join(FeatureSet.from_json(text).names)
        raise InvalidInputError(
            "features",
            f"not published: {names} can be tried by `retrace backtest --policy`, and nothing"
            " serves what the catalogue does not have. Add it to the catalogue, which makes a new"
            " feature set (docs/feature-engine.md), and publish then",
        )


def _fault(place: Place, name: str, key: str, message: str) -> Fault:
    return place.fault(f"feature {name}: {key}: {message}")


def _declared(given: Mapping[str, Any]) -> Feature:
    """Raises DeclarationError."""
    aggregation = given["aggregation"]
    allowed = fields_of(aggregation)
    field = given.get("field")
    if field is None and len(allowed) > 1:
        raise DeclarationError(given["name"], f"give one of {', '.join(sorted(allowed))}", "field")
    taken = ("name", "meaning", "entity", "filter", "cap", "quantile", "times", "last", "default")
    return Feature(
        aggregation=aggregation,
        field=next(iter(allowed), None) if field is None else field,
        window=_window(given, "window", "resolution"),
        baseline=_window(given, "baseline", "baseline_resolution"),
        **{key: given[key] for key in taken if key in given},
    )


def _window(given: Mapping[str, Any], key: str, finer: str) -> Window | None:
    span, tile = given.get(key), given.get(finer)
    if span is None:
        if tile is not None:
            raise DeclarationError(given["name"], f"there is no {key}: take it away", finer)
        return None
    of_labels = given["aggregation"] in OF_LABELS
    known = TILE_OF_LABELS if of_labels else TILES.get(span[1])
    of_tile = known if tile is None else tile[1]
    if of_tile is None:
        text = f"give a {finer}, of {_finest(span[1])} or more"
        raise DeclarationError(given["name"], text, key)
    if span[1] > MAX_TILES * of_tile > 0 and not of_labels:
        text = f"{span[0]} has {MAX_TILES} parts at most: give {_finest(span[1])} or more"
        raise DeclarationError(given["name"], text, finer)
    return Window(span[0], span[1], of_tile)


def _finest(span: int) -> str:
    """The finest resolution of a span that is short to write."""
    seconds = -(-span // (MAX_TILES * SECOND))
    return f"{seconds}s" if seconds < 60 else f"{-(-seconds // 60)}m"


def _read(key: str, node: Any) -> Any:
    """Raises ValueError in words for the file's writer."""
    text = str(node.value).strip() if isinstance(node, yaml.ScalarNode) else ""
    if not text:
        raise ValueError("expected one value")
    return _READ[key](text)


def _one_of(kind: type[StrEnum], text: str) -> StrEnum:
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is unknown: expected one of {', '.join(kind)}") from error


def _span(text: str) -> tuple[str, int]:
    """(as it was written, microseconds)"""
    try:
        return text, parse_duration(text, "")
    except InvalidInputError as error:
        raise ValueError(error.message) from error


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def _quantile(text: str) -> int:
    """Thousandths."""
    try:
        found = Decimal(text) * 1000
    except InvalidOperation:
        found = Decimal(-1)
    if not 0 < found <= 1000 or found != found.to_integral_value():
        raise ValueError("is from 0.001 to 1, in thousandths, such as 0.5 for the median")
    return int(found)


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not isfinite(found):
        raise ValueError(f"{text!r} is no number")
    return found


_READ: Mapping[str, Callable[[str], Any]] = {
    "name": str,
    "meaning": str,
    "entity": partial(_one_of, Entity),
    "aggregation": partial(_one_of, Aggregation),
    "field": partial(_one_of, Field),
    "filter": partial(_one_of, Filter),
    "window": _span,
    "resolution": _span,
    "baseline": _span,
    "baseline_resolution": _span,
    "cap": _whole,
    "quantile": _quantile,
    "times": _whole,
    "last": _whole,
    "default": _number,
}
