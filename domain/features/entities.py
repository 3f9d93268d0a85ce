"""Owns whose history features describe, and where a transaction names it; holds no state."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Entity(StrEnum):
    """One kind of history. An entity's state is keyed by the value of its field."""

    CARD = "card"
    CUSTOMER = "customer"
    MERCHANT = "merchant"
    DEVICE = "device"
    IP = "ip"


class NamesEntities(Protocol):
    """A transaction, a label or a feature event: all name their entities by the same fields."""

    @property
    def card_id(self) -> str | None: ...
    @property
    def customer_id(self) -> str | None: ...
    @property
    def merchant_id(self) -> str | None: ...
    @property
    def device_id(self) -> str | None: ...
    @property
    def ip(self) -> str | None: ...


def entity_keys(source: NamesEntities) -> dict[Entity, str]:
    """The entities that `source` names, in the order of `Entity`; those it lacks are left out."""
    keys: dict[Entity, str] = {}
    if source.card_id is not None:
        keys[Entity.CARD] = source.card_id
    if source.customer_id is not None:
        keys[Entity.CUSTOMER] = source.customer_id
    if source.merchant_id is not None:
        keys[Entity.MERCHANT] = source.merchant_id
    if source.device_id is not None:
        keys[Entity.DEVICE] = source.device_id
    if source.ip is not None:
        keys[Entity.IP] = source.ip
    return keys
