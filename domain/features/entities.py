"""Entities (card, customer, merchant ...): whose history features describe, and their keys."""

from enum import StrEnum
from typing import Protocol


class Entity(StrEnum):
    """One kind of history. A state is keyed by the value of its field, a pair's by both."""

    CARD = "card"
    CUSTOMER = "customer"
    MERCHANT = "merchant"
    DEVICE = "device"
    IP = "ip"
    CUSTOMER_MERCHANT = "customer_merchant"
    CUSTOMER_DEVICE = "customer_device"


FIELDS: dict[Entity, tuple[str, ...]] = {
    Entity.CARD: ("card_id",),
    Entity.CUSTOMER: ("customer_id",),
    Entity.MERCHANT: ("merchant_id",),
    Entity.DEVICE: ("device_id",),
    Entity.IP: ("ip",),
    Entity.CUSTOMER_MERCHANT: ("customer_id", "merchant_id"),
    Entity.CUSTOMER_DEVICE: ("customer_id", "device_id"),
}


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
    customer, merchant, device = source.customer_id, source.merchant_id, source.device_id
    if source.card_id is not None:
        keys[Entity.CARD] = source.card_id
    if customer is not None:
        keys[Entity.CUSTOMER] = customer
    if merchant is not None:
        keys[Entity.MERCHANT] = merchant
    if device is not None:
        keys[Entity.DEVICE] = device
    if source.ip is not None:
        keys[Entity.IP] = source.ip
    if customer is not None:
        if merchant is not None:
            keys[Entity.CUSTOMER_MERCHANT] = pair_key(customer, merchant)
        if device is not None:
            keys[Entity.CUSTOMER_DEVICE] = pair_key(customer, device)
    return keys


def pair_key(first: str, second: str) -> str:
    """One text for two; the length in front keeps ("a", "bc") and ("ab", "c") apart."""
    return f"{len(first)}:{first}{second}"


def key_parts(entity: Entity, key: str) -> tuple[str, ...]:
    """The values of `FIELDS[entity]` in a key made by `entity_keys`."""
    if len(FIELDS[entity]) == 1:
        return (key,)
    length, _, rest = key.partition(":")
    return rest[: int(length)], rest[int(length) :]
