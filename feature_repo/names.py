"""Owns the names under which Feast knows our states; `definitions.py` spells out the same ones."""

from __future__ import annotations

from domain.features import Entity

PROJECT = "retrace"


def state_view(entity: Entity) -> str:
    """The view of an entity's states, and its one feature: an on-demand view sees them all."""
    return f"{entity.value}_state"


def join_key(entity: Entity) -> str:
    """The join key of an entity: the name of its field in a transaction."""
    return "ip" if entity is Entity.IP else f"{entity.value}_id"
