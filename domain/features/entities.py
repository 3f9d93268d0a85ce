"""Entities (payer, card, merchant ...): whose history features describe, and their keys."""

from enum import StrEnum
from typing import Protocol


class Entity(StrEnum):
    """One kind of history. A state is keyed by the value of its field, a pair's by both.

    The catalogue declares nothing over a customer any more: sets of earlier versions do, and are
    still computed.
    """

    CARD = "card"
    PAYER = "payer"
    CUSTOMER = "customer"
    MERCHANT = "merchant"
    DEVICE = "device"
    IP = "ip"
    PAYER_MERCHANT = "payer_merchant"
    PAYER_DEVICE = "payer_device"
    CUSTOMER_MERCHANT = "customer_merchant"
    CUSTOMER_DEVICE = "customer_device"


# By name: Feast sorts the join keys of a view.
FIELDS: dict[Entity, tuple[str, ...]] = {
    Entity.CARD: ("card_id",),
    Entity.PAYER: ("payer_id",),
    Entity.CUSTOMER: ("customer_id",),
    Entity.MERCHANT: ("merchant_id",),
    Entity.DEVICE: ("device_id",),
    Entity.IP: ("ip",),
    Entity.PAYER_MERCHANT: ("merchant_id", "payer_id"),
    Entity.PAYER_DEVICE: ("device_id", "payer_id"),
    Entity.CUSTOMER_MERCHANT: ("customer_id", "merchant_id"),
    Entity.CUSTOMER_DEVICE: ("customer_id", "device_id"),
}

PAYER_FIELDS = ("customer_id", "card_id")
"""Who pays is the first of these that is known, by its id alone: one id is one payer in whichever
field it stands. A paying account takes its place behind the card."""


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


def payer_of(source: NamesEntities) -> str | None:
    """The id of who pays, by `PAYER_FIELDS`; None where none of them is known."""
    for name in PAYER_FIELDS:
        value: str | None = getattr(source, name)
        if value is not None:
            return value
    return None


def keys_of(source: NamesEntities) -> tuple[str | None, ...]:
    """The key of each `Entity`, in their order; None of those that `source` does not name.

    Written out, as it is asked of every event: the fields are those of `FIELDS`.
    """
    card, customer, merchant = source.card_id, source.customer_id, source.merchant_id
    device, payer = source.device_id, payer_of(source)
    return (
        card,
        payer,
        customer,
        merchant,
        device,
        source.ip,
        None if merchant is None or payer is None else pair_key(merchant, payer),
        None if device is None or payer is None else pair_key(device, payer),
        None if customer is None or merchant is None else pair_key(customer, merchant),
        None if customer is None or device is None else pair_key(customer, device),
    )


def entity_keys(source: NamesEntities) -> dict[Entity, str]:
    """The entities that `source` names, in the order of `Entity`; those it lacks are left out."""
    return {
        entity: key for entity, key in zip(FIELDS, keys_of(source), strict=True) if key is not None
    }


def pair_key(first: str, second: str) -> str:
    """One text for two; the length in front keeps ("a", "bc") and ("ab", "c") apart."""
    return f"{len(first)}:{first}{second}"


def key_parts(entity: Entity, key: str) -> tuple[str, ...]:
    """The values of `FIELDS[entity]` in a key made by `entity_keys`."""
    if len(FIELDS[entity]) == 1:
        return (key,)
    length, _, rest = key.partition(":")
    return rest[: int(length)], rest[int(length) :]
