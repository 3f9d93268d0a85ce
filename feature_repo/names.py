"""Names of our states in Feast; definitions.py spells out the same ones."""

from __future__ import annotations

from domain.features import Entity

PROJECT = "retrace"


def state_view(entity: Entity) -> str:
    """The view of an entity's states, and its one feature: an on-demand view sees them all."""
    return f"{entity.value}_state"
