"""Feature events of one customer at one shop, and the vector that they give."""

from typing import Any

from domain.features import CATALOGUE, EntityState, FeatureEvent, entity_keys, finish
from domain.features.events import digest
from domain.features.reference.naive import reference_vector
from domain.times import DAY, HOUR
from tests.fakes.events import transaction

NOON = 19_700 * DAY + 12 * HOUR  # the start of a tile at every resolution of the catalogue


def paid(transaction_id: str, time: int, amount: int, **others: Any) -> FeatureEvent:
    keys = {"customer_id": "ann", "merchant_id": "shop", **others}
    order = digest(transaction_id)
    return FeatureEvent("transaction", time, order, time, transaction_id, time, amount, **keys)


def labelled(transaction_id: str, known: int, value: int, reference: str = "r") -> FeatureEvent:
    return paid(transaction_id, known, 1)._replace(
        kind="label", order=digest(reference), label=value
    )


def values(events: list[FeatureEvent], time: int, amount: int = 1000) -> dict[str, float | None]:
    """Served by the fold, and checked against the reference on the way."""
    asked = transaction(
        "x", timestamp=time, base_amount=amount, customer_id="ann", merchant_id="shop", country="DE"
    )
    keys = entity_keys(asked)
    states = {entity: EntityState(entity, key) for entity, key in keys.items()}
    for offset, event in enumerate(events):
        for entity, key in entity_keys(event).items():
            if keys.get(entity) == key:
                states[entity].fold(0, offset, event)
    vector = finish(states, asked)
    assert vector == reference_vector(events, asked)
    return dict(zip(CATALOGUE.names, vector, strict=True))
