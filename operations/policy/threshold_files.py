"""Thresholds and exploration in the policy's YAML, read with the place of every value.

thresholds:
  review: 0.4
  step_up: 0.7
  decline: 0.9
exploration:
  share: 0.5%

`thresholds: {}` withdraws them, so that each model's own count; `exploration: {}` ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidInputError
from domain.events import Thresholds
from domain.policy.thresholds import validated
from operations.policy.places import Fault, Place, basis_points, place_at, values_of

_KEYS = ("review", "step_up", "decline")


@dataclass(frozen=True, slots=True)
class WrittenThresholds:
    """`thresholds` is None where the file withdraws them."""

    thresholds: Thresholds | None
    place: Place


def read_thresholds(
    node: Any, path: str, found: list[WrittenThresholds], faults: list[Fault]
) -> None:
    """Adds what a node holds, or what is wrong with it."""
    here = place_at(node, path)
    if found:
        there = found[0].place
        faults.append(here.fault(f"thresholds are given at {there.path}:{there.line} too"))
    before = len(faults)
    given: dict[str, float] = {}
    places: dict[str, Place] = {}
    for name, value in values_of(node, path, _KEYS, faults):
        places[name] = place_at(value, path)
        try:
            given[name] = float(value.value)
        except (TypeError, ValueError):
            faults.append(places[name].fault(f"expected a score from 0 to 1 for {name}"))
    missing = [name for name in _KEYS if name not in places]
    if given and missing:
        faults.append(here.fault(f"thresholds have no {', '.join(missing)}"))
    if len(faults) > before:
        return
    made = Thresholds(**given) if given else None
    try:
        found.append(WrittenThresholds(made and validated(made), here))
    except InvalidInputError as error:
        faults.append(places[error.field.rpartition(".")[2]].fault(error.message))


@dataclass(frozen=True, slots=True)
class WrittenExploration:
    """`share` in basis points, 0 where the file ends it."""

    share: int
    place: Place


def read_exploration(
    node: Any, path: str, found: list[WrittenExploration], faults: list[Fault]
) -> None:
    """Adds what a node holds, or what is wrong with it."""
    here = place_at(node, path)
    if found:
        there = found[0].place
        faults.append(here.fault(f"exploration is given at {there.path}:{there.line} too"))
    share = 0
    for name, value in values_of(node, path, ("share",), faults):
        try:
            share = basis_points(str(value.value))
        except ValueError as error:
            faults.append(place_at(value, path).fault(f"{name}: {error}"))
    found.append(WrittenExploration(share, here))
