"""Names of our states in Feast; definitions.py spells out the same ones."""

from domain.features import Entity

PROJECT = "retrace"


def state_view(entity: Entity) -> str:
    """Name of the view of an entity's states, and of its one feature."""
    return f"{entity.value}_state"
