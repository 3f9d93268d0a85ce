"""Owns the features of the product, as declared for people and machines alike; computes nothing.

Card, device, ip, places and channels are often missing: the customer's, the merchant's and the
request's features stand on amount, time and two ids alone.
"""

from __future__ import annotations

from domain.features.declarations import (
    DAY_1,
    DAYS_7,
    DAYS_30,
    HOUR_1,
    MINUTES_10,
    Aggregation,
    Feature,
    Field,
    Filter,
    Window,
)
from domain.features.entities import Entity
from domain.features.feature_set import FeatureSet

_VALUES = 256  # pairs of tile and value kept per store
_LABELS = 512  # labels kept per entity


def _request(name: str, field: Field, meaning: str) -> Feature:
    return Feature(name=name, meaning=meaning, aggregation=Aggregation.REQUEST, field=field)


def _counts(entity: Entity, *windows: Window) -> list[Feature]:
    return [
        Feature(
            name=f"{entity}_count_{window.name}",
            meaning=f"transactions of the {entity} in the last {window.name}",
            aggregation=Aggregation.COUNT,
            entity=entity,
            window=window,
        )
        for window in windows
    ]


def _amounts(
    entity: Entity, aggregation: Aggregation, kind: str, *windows: Window
) -> list[Feature]:
    return [
        Feature(
            name=f"{entity}_amount_{kind}_{window.name}",
            meaning=f"{aggregation.value} of the {entity}'s amounts in the last {window.name}",
            aggregation=aggregation,
            entity=entity,
            field=Field.AMOUNT,
            window=window,
        )
        for window in windows
    ]


def _against_own(entity: Entity, aggregation: Aggregation, kind: str, window: Window) -> Feature:
    return Feature(
        name=f"{entity}_amount_{kind}_{window.name}",
        meaning=f"{aggregation.value}: amount against the {entity}'s in the last {window.name}",
        aggregation=aggregation,
        entity=entity,
        field=Field.AMOUNT,
        window=window,
    )


def _distinct(entity: Entity, field: Field, plural: str, window: Window) -> Feature:
    return Feature(
        name=f"{entity}_distinct_{plural}_{window.name}",
        meaning=f"different {plural} seen with the {entity} in the last {window.name}",
        aggregation=Aggregation.DISTINCT,
        entity=entity,
        field=field,
        window=window,
        cap=_VALUES,
    )


def _new(entity: Entity, field: Field, singular: str) -> Feature:
    return Feature(
        name=f"{entity}_new_{singular}",
        meaning=f"1 if the {entity} was not seen with this {singular} in the last 30d, else 0",
        aggregation=Aggregation.IS_NEW,
        entity=entity,
        field=field,
        window=DAYS_30,
        cap=_VALUES,
    )


def _of(
    name: str,
    meaning: str,
    entity: Entity,
    aggregation: Aggregation,
    window: Window,
    field: Field | None = None,
    filter: Filter | None = None,  # noqa: A002 - the word of the declaration
) -> Feature:
    return Feature(
        name=name,
        meaning=meaning,
        aggregation=aggregation,
        entity=entity,
        field=field,
        window=window,
        filter=filter,
    )


def _labels(entity: Entity, aggregation: Aggregation, kind: str, *windows: Window) -> list[Feature]:
    return [
        Feature(
            name=f"{entity}_{kind}_{window.name}",
            meaning=f"{aggregation.value} that became known of the {entity} in the last "
            f"{window.name}, the current {window.name} tile left out",
            aggregation=aggregation,
            entity=entity,
            field=Field.LABEL,
            window=window,
            cap=_LABELS,
        )
        for window in windows
    ]


_REQUEST = [
    _request("amount", Field.AMOUNT, "amount in units of the base currency"),
    _request("hour_sin", Field.HOUR_SIN, "sine of the hour of the day (UTC, a full turn per day)"),
    _request("hour_cos", Field.HOUR_COS, "cosine of the hour of the day (UTC)"),
    _request("night", Field.NIGHT, "1 from 0 to 6 o'clock UTC, else 0"),
    _request("weekend", Field.WEEKEND, "1 on Saturday and Sunday (UTC), else 0"),
    _request("remote", Field.REMOTE, "1 for ecom and moto, 0 for other channels"),
]

_CARD = [
    *_counts(Entity.CARD, MINUTES_10, HOUR_1, DAY_1),
    *_amounts(Entity.CARD, Aggregation.SUM, "sum", HOUR_1, DAY_1),
    _of(
        "card_declined_1d",
        "declined transactions of the card in the last 1d",
        Entity.CARD,
        Aggregation.COUNT,
        DAY_1,
        filter=Filter.DECLINED,
    ),
    _of(
        "card_hours_since_last",
        "hours since the card's last transaction, within 1d",
        Entity.CARD,
        Aggregation.SINCE_LAST,
        DAY_1,
    ),
    _distinct(Entity.CARD, Field.MERCHANT, "merchants", HOUR_1),
    _of(
        "card_km_from_last",
        "km, through the globe, from the card's last place within 1d",
        Entity.CARD,
        Aggregation.DISTANCE,
        DAY_1,
        Field.PLACE,
    ),
    _of(
        "card_speed",
        "km/h from the card's last place within 1d, the time taken as a minute at least",
        Entity.CARD,
        Aggregation.SPEED,
        DAY_1,
        Field.PLACE,
    ),
]

_CUSTOMER = [
    *_counts(Entity.CUSTOMER, MINUTES_10, HOUR_1, DAY_1, DAYS_7, DAYS_30),
    *_amounts(Entity.CUSTOMER, Aggregation.SUM, "sum", DAY_1, DAYS_7),
    *_amounts(Entity.CUSTOMER, Aggregation.MEAN, "mean", DAY_1, DAYS_7, DAYS_30),
    *_amounts(Entity.CUSTOMER, Aggregation.STD, "std", DAYS_30),
    *_amounts(Entity.CUSTOMER, Aggregation.MIN, "min", DAYS_30),
    *_amounts(Entity.CUSTOMER, Aggregation.MAX, "max", DAY_1, DAYS_30),
    _against_own(Entity.CUSTOMER, Aggregation.RATIO_TO_MEAN, "to_mean", DAYS_7),
    _against_own(Entity.CUSTOMER, Aggregation.RATIO_TO_MEAN, "to_mean", DAYS_30),
    _against_own(Entity.CUSTOMER, Aggregation.RATIO_TO_MAX, "to_max", DAYS_30),
    _against_own(Entity.CUSTOMER, Aggregation.Z_SCORE, "z_score", DAYS_30),
    _of(
        "customer_hours_since_last",
        "hours since the customer's last transaction, within 30d",
        Entity.CUSTOMER,
        Aggregation.SINCE_LAST,
        DAYS_30,
    ),
    _distinct(Entity.CUSTOMER, Field.MERCHANT, "merchants", DAY_1),
    _new(Entity.CUSTOMER, Field.MERCHANT, "merchant"),
    _new(Entity.CUSTOMER, Field.DEVICE, "device"),
    _new(Entity.CUSTOMER, Field.COUNTRY, "country"),
    *_labels(Entity.CUSTOMER, Aggregation.FRAUD_COUNT, "fraud_count", DAYS_30),
]

_MERCHANT = [
    *_counts(Entity.MERCHANT, HOUR_1, DAY_1, DAYS_7, DAYS_30),
    *_amounts(Entity.MERCHANT, Aggregation.MEAN, "mean", DAYS_30),
    _against_own(Entity.MERCHANT, Aggregation.RATIO_TO_MEAN, "to_mean", DAYS_30),
    _against_own(Entity.MERCHANT, Aggregation.Z_SCORE, "z_score", DAYS_30),
    _distinct(Entity.MERCHANT, Field.CUSTOMER, "customers", DAY_1),
    *_labels(Entity.MERCHANT, Aggregation.FRAUD_COUNT, "fraud_count", DAY_1, DAYS_7, DAYS_30),
    *_labels(Entity.MERCHANT, Aggregation.FRAUD_RATE, "fraud_rate", DAYS_7, DAYS_30),
]

_DEVICE = [
    *_counts(Entity.DEVICE, HOUR_1, DAY_1),
    *_amounts(Entity.DEVICE, Aggregation.SUM, "sum", DAY_1),
    _distinct(Entity.DEVICE, Field.CARD, "cards", DAY_1),
    _distinct(Entity.DEVICE, Field.CUSTOMER, "customers", DAYS_7),
    *_labels(Entity.DEVICE, Aggregation.FRAUD_COUNT, "fraud_count", DAYS_30),
]

_IP = [
    *_counts(Entity.IP, MINUTES_10, DAY_1),
    _distinct(Entity.IP, Field.CARD, "cards", DAY_1),
    *_labels(Entity.IP, Aggregation.FRAUD_COUNT, "fraud_count", DAYS_30),
]

CATALOGUE = FeatureSet([*_REQUEST, *_CARD, *_CUSTOMER, *_MERCHANT, *_DEVICE, *_IP])
