"""Feast objects: states online, finished on demand; vectors offline, by transaction id.

It works for `feast apply` in this folder and as a package alike, so it imports no sibling. Features
are declared in the catalogue alone; here are only their names.
"""

from datetime import timedelta
from typing import Any

from feast import Entity, FeatureService, FeatureView, Field, PushSource, RequestSource, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import (
    PostgreSQLSource,
)
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Bytes, Float64, Int64, String

from domain.features import CATALOGUE
from domain.features import Entity as Kind
from domain.features.entities import FIELDS

FOREVER = timedelta(0)


def _entity(kind: Kind) -> Entity:
    return Entity(
        name=kind.value,
        join_keys=list(FIELDS[kind]),
        value_type=ValueType.STRING,
        description=f"a {kind.value}, by the id that its transactions carry",
    )


def _state_view(kind: Kind) -> FeatureView:
    # States are written by the features worker alone: there is nothing to materialise, and the
    # source says so rather than fail.
    ids = "".join(f"''::text AS {field}, " for field in FIELDS[kind])
    nothing = PostgreSQLSource(
        name=f"{kind.value}_no_states",
        query=f"SELECT {ids}''::bytea AS {kind.value}_state, now() AS event_timestamp WHERE false",
        timestamp_field="event_timestamp",
    )
    return FeatureView(
        name=f"{kind.value}_state",
        entities=[by_field[field] for field in FIELDS[kind]],
        ttl=FOREVER,
        schema=[
            *(Field(name=field, dtype=String) for field in FIELDS[kind]),
            Field(name=f"{kind.value}_state", dtype=Bytes),
        ],
        source=PushSource(name=f"{kind.value}_states", batch_source=nothing),
        description=f"what a {kind.value} has done, folded, with its version map",
    )


# A pair has no entity of its own: its view has the two of its parts. A payer is asked for by
# `payer_id`: the customer's id, or the card's where no customer is known.
card, payer, merchant, device, ip = entities = [
    _entity(kind) for kind in CATALOGUE.entities if len(FIELDS[kind]) == 1
]
by_field = {entity.join_key: entity for entity in entities}
state_views = [_state_view(kind) for kind in CATALOGUE.entities]
(
    card_state,
    payer_state,
    merchant_state,
    device_state,
    ip_state,
    payer_merchant_state,
    payer_device_state,
) = state_views

request = RequestSource(
    name="transaction_in_hand",
    description="The transaction to finish for: time in microseconds UTC, amount in minor units "
    "of the base currency. What is unknown is an empty text, or NaN.",
    schema=[
        Field(name="timestamp", dtype=Int64),
        Field(name="base_amount", dtype=Int64),
        Field(name="country", dtype=String),
        Field(name="channel", dtype=String),
        Field(name="lat", dtype=Float64),
        Field(name="lon", dtype=Float64),
    ],
)


@on_demand_feature_view(  # type: ignore[untyped-decorator, unused-ignore]
    sources=[*state_views, request],
    schema=[Field(name=name, dtype=Float64) for name in CATALOGUE.names],
    mode="python",
    description="Every feature of the catalogue, finished at the transaction's time.",
)
def features(inputs: dict[str, Any]) -> dict[str, Any]:
    """Feast runs this source again without its module: all that it needs is imported inside.

    A value that is unknown is NaN, since Feast infers the types from a run on made-up rows.
    """
    from typing import Any

    from domain.features import CATALOGUE, entity_keys
    from domain.features.entities import FIELDS
    from domain.transactions import Transaction
    from feature_repo.served import finished

    fields = {field for kind in CATALOGUE.entities for field in FIELDS[kind]}
    rows = len(inputs["timestamp"])
    vectors = []
    for row in range(rows):
        given = {field: (inputs.get(field) or [""] * rows)[row] for field in fields}
        given.update({name: inputs[name][row] for name in ("country", "channel", "lat", "lon")})
        known: dict[str, Any] = {n: None if v == "" or v != v else v for n, v in given.items()}
        named = {field for field in fields if known[field] is not None}
        transaction = Transaction(
            # The states of the payer were read for this id, whatever the card's is.
            customer_id=known.pop("payer_id"),
            transaction_id="",
            timestamp=inputs["timestamp"][row],
            amount=inputs["base_amount"][row],
            base_amount=inputs["base_amount"][row],
            currency="",
            **known,
        )
        # Before a rebuild, and after going back, states are of another set than the catalogue.
        values = finished(
            {
                kind: (key, bytes(inputs[f"{kind.value}_state"][row] or b""))
                for kind, key in entity_keys(transaction).items()
                if kind in CATALOGUE.by_entity and named.issuperset(FIELDS[kind])
            },
            transaction,
        )
        ours = [values.get(name) for name in CATALOGUE.names]
        vectors.append([float("nan") if value is None else value for value in ours])
    return {name: [v[at] for v in vectors] for at, name in enumerate(CATALOGUE.names)}


transaction = Entity(
    name="transaction",
    join_keys=["transaction_id"],
    value_type=ValueType.STRING,
    description="one payment attempt",
)
transaction_features = FeatureView(
    name="transaction_features",
    entities=[transaction],
    ttl=FOREVER,
    schema=[
        Field(name="transaction_id", dtype=String),
        *(Field(name=name, dtype=Float64) for name in CATALOGUE.names),
    ],
    source=PostgreSQLSource(
        name="feature_vectors",
        table="feature_vectors",
        timestamp_field="event_timestamp",
        created_timestamp_column="created",
    ),
    online=False,
    description="The ideal vector of every transaction: ask by transaction id, at its own time.",
)

training = FeatureService(
    name="training",
    features=[transaction_features],
    description="Point-in-time vectors by transaction id",
)
scoring = FeatureService(
    name="scoring", features=[features], description="Finished features of a transaction in hand"
)
