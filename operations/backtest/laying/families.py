"""Families of entities: those whose histories lie in one shard, by the id that tells the shard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.features import Entity
from domain.features.entities import FIELDS
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import (
    CARD,
    CUSTOMER,
    DEVICE,
    IP,
    IS_FRAUD,
    IS_GENUINE,
    KIND,
    MERCHANT,
    PAYER,
    PRESENT,
    TRANSACTION,
    Rows,
)
from projections.replay.rules import Bools

_COLUMNS = {
    "card_id": CARD,
    "customer_id": CUSTOMER,
    "merchant_id": MERCHANT,
    "device_id": DEVICE,
    "ip": IP,
    "payer_id": PAYER,
}
KEYS: Mapping[Entity, tuple[int, ...]] = {
    entity: tuple(_COLUMNS[name] for name in fields) for entity, fields in FIELDS.items()
}
"""The columns of a row that name each entity."""

USES = "uses"
"""Transactions of the period and labels, by the transaction that they are about."""


@dataclass(frozen=True, slots=True)
class Family:
    """Events that lie in one shard by the id in `column`; `entities` have their history there."""

    name: str
    column: int
    entities: tuple[Entity, ...] = ()

    def members(self, rows: Rows, wanted: Bools) -> Bools:
        """Whether each row belongs to it; `wanted` are transactions of the period."""
        if self.name == USES:
            return wanted | np.isin(rows[:, KIND], (IS_FRAUD, IS_GENUINE))
        found: Bools = (rows[:, PRESENT] >> self.column & 1) != 0
        return found

    def shards(self, ids: Ints, number: int) -> NDArray[Any]:
        """Of each id the number of its shard, of `number`. Ids are digests: evenly spread."""
        found = ids.view(np.uint64) % np.uint64(number)
        return found.astype(np.uint16 if number <= 1 << 16 else np.int64)


# Who pays is the customer, else the card: what a customer did lies in one shard with the payer.
_BY_PAYER = (
    *(Entity.PAYER, Entity.CUSTOMER, Entity.PAYER_MERCHANT, Entity.PAYER_DEVICE),
    *(Entity.CUSTOMER_MERCHANT, Entity.CUSTOMER_DEVICE),
)
_ALL = (
    Family("payer", PAYER, _BY_PAYER),
    Family("card", CARD, (Entity.CARD,)),
    Family("merchant", MERCHANT, (Entity.MERCHANT,)),
    Family("device", DEVICE, (Entity.DEVICE,)),
    Family("ip", IP, (Entity.IP,)),
)


def families(entities: tuple[Entity, ...]) -> list[Family]:
    """Those that these entities need, and the uses of ids."""
    taken = ((each, tuple(e for e in each.entities if e in entities)) for each in _ALL)
    others = (Family(each.name, each.column, mine) for each, mine in taken if mine)
    return [Family(USES, TRANSACTION), *others]
