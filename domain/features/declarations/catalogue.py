"""The feature catalogue: every feature of the product.

Device, ip, places and channels are often missing, and so is either the card or the customer: the
payer's, the merchant's and the request's features stand on amount, time and two ids alone. What a
card shows in minutes and in its places is the card's own.
"""

from domain.features.declarations.feature import Aggregation, Field, Filter
from domain.features.declarations.feature_set import FeatureSet
from domain.features.declarations.shorthand import (
    against_core,
    against_own,
    amounts,
    counts,
    distinct,
    failed_step_ups,
    far_counts,
    fraud_of_last,
    high_counts,
    labels,
    last_labels,
    maxima_to_median,
    new,
    of,
    passed_step_ups,
    quantiles,
    request,
    since_far,
)
from domain.features.declarations.windows import (
    DAY_1,
    DAYS_7,
    DAYS_14,
    DAYS_30,
    DAYS_90,
    HOUR_1,
    KNOWN_1D,
    KNOWN_7D,
    KNOWN_14D,
    KNOWN_30D,
    KNOWN_90D,
    MINUTE_1,
    MINUTES_10,
)
from domain.features.entities import Entity

_REQUEST = [
    request("amount", Field.AMOUNT, "amount in units of the base currency"),
    request("hour_sin", Field.HOUR_SIN, "sine of the hour of the day (UTC, a full turn per day)"),
    request("hour_cos", Field.HOUR_COS, "cosine of the hour of the day (UTC)"),
    request("night", Field.NIGHT, "1 from 0 to 6 o'clock UTC, else 0"),
    request("weekend", Field.WEEKEND, "1 on Saturday and Sunday (UTC), else 0"),
    request("remote", Field.REMOTE, "1 for ecom and moto, 0 for other channels"),
]

_CARD = [
    *counts(Entity.CARD, MINUTE_1, MINUTES_10, HOUR_1, DAY_1),
    *amounts(Entity.CARD, Aggregation.SUM, "sum", HOUR_1, DAY_1),
    of(
        "card_declined_1d",
        "declined transactions of the card in the last 1d",
        Entity.CARD,
        Aggregation.COUNT,
        DAY_1,
        filter=Filter.DECLINED,
    ),
    *failed_step_ups(Entity.CARD, DAY_1, DAYS_7),
    of(
        "card_hours_since_last",
        "hours since the card's last transaction, within 1d",
        Entity.CARD,
        Aggregation.SINCE_LAST,
        DAY_1,
    ),
    distinct(Entity.CARD, Field.MERCHANT, "merchants", HOUR_1),
    of(
        "card_km_from_last",
        "km, through the globe, from the card's last place within 1d",
        Entity.CARD,
        Aggregation.DISTANCE,
        DAY_1,
        Field.PLACE,
    ),
    of(
        "card_speed",
        "km/h from the card's last place within 1d, the time taken as a minute at least",
        Entity.CARD,
        Aggregation.SPEED,
        DAY_1,
        Field.PLACE,
    ),
]

_PAYER = [
    *counts(Entity.PAYER, MINUTES_10, HOUR_1, DAY_1, DAYS_7, DAYS_30, DAYS_90),
    *amounts(Entity.PAYER, Aggregation.SUM, "sum", DAY_1, DAYS_7),
    *amounts(Entity.PAYER, Aggregation.MEAN, "mean", DAY_1, DAYS_7, DAYS_30),
    *quantiles(Entity.PAYER, DAYS_90),
    *against_core(Entity.PAYER, DAYS_90),
    *high_counts(Entity.PAYER, DAYS_90, DAY_1, DAYS_7),
    *far_counts(Entity.PAYER, DAYS_90, DAYS_7, DAYS_14),
    since_far(Entity.PAYER, Aggregation.SINCE_HIGH, "last", DAYS_90, DAYS_30),
    since_far(Entity.PAYER, Aggregation.SINCE_FIRST_HIGH, "first", DAYS_90, DAYS_14),
    *maxima_to_median(Entity.PAYER, DAYS_90, DAYS_7, DAYS_14),
    *amounts(Entity.PAYER, Aggregation.STD, "std", DAYS_30),
    *amounts(Entity.PAYER, Aggregation.MIN, "min", DAYS_30),
    *amounts(Entity.PAYER, Aggregation.MAX, "max", DAY_1, DAYS_30),
    against_own(Entity.PAYER, Aggregation.RATIO_TO_MEAN, "to_mean", DAYS_7),
    against_own(Entity.PAYER, Aggregation.RATIO_TO_MEAN, "to_mean", DAYS_30),
    against_own(Entity.PAYER, Aggregation.RATIO_TO_MAX, "to_max", DAYS_30),
    against_own(Entity.PAYER, Aggregation.RATIO_TO_MEAN, "to_mean", DAYS_90),
    against_own(Entity.PAYER, Aggregation.Z_SCORE, "z_score", DAYS_30),
    of(
        "payer_hour_deviation_30d",
        "0 at the payer's usual time of day within 30d, 1 six hours off, 2 at the opposite",
        Entity.PAYER,
        Aggregation.HOUR_DEVIATION,
        DAYS_30,
    ),
    of(
        "payer_hours_since_last",
        "hours since the payer's last transaction, within 30d",
        Entity.PAYER,
        Aggregation.SINCE_LAST,
        DAYS_30,
    ),
    *failed_step_ups(Entity.PAYER, DAY_1, DAYS_7, DAYS_30),
    passed_step_ups(Entity.PAYER, DAYS_30),
    distinct(Entity.PAYER, Field.MERCHANT, "merchants", DAY_1),
    new(Entity.PAYER, Field.MERCHANT, "merchant"),
    new(Entity.PAYER, Field.DEVICE, "device"),
    new(Entity.PAYER, Field.COUNTRY, "country"),
    *labels(Entity.PAYER, Aggregation.FRAUD_COUNT, "fraud_count", KNOWN_7D, KNOWN_14D, KNOWN_30D),
    *labels(Entity.PAYER, Aggregation.FRAUD_RATE, "fraud_rate", KNOWN_30D),
    *labels(Entity.PAYER, Aggregation.FRAUD_RUN, "fraud_run", KNOWN_90D),
    *labels(Entity.PAYER, Aggregation.SINCE_FRAUD, "hours_since_fraud", KNOWN_30D),
    *labels(Entity.PAYER, Aggregation.SINCE_FIRST_FRAUD, "hours_since_first_fraud", KNOWN_30D),
    *last_labels(Entity.PAYER, 1, 2),
]

_MERCHANT = [
    *counts(Entity.MERCHANT, HOUR_1, DAY_1, DAYS_7, DAYS_30),
    *amounts(Entity.MERCHANT, Aggregation.MEAN, "mean", DAYS_30),
    against_own(Entity.MERCHANT, Aggregation.RATIO_TO_MEAN, "to_mean", DAYS_30),
    against_own(Entity.MERCHANT, Aggregation.Z_SCORE, "z_score", DAYS_30),
    distinct(Entity.MERCHANT, Field.PAYER, "payers", DAY_1),
    *labels(Entity.MERCHANT, Aggregation.FRAUD_COUNT, "fraud_count", KNOWN_1D, KNOWN_7D, KNOWN_30D),
    *labels(
        Entity.MERCHANT,
        Aggregation.FRAUD_RATE,
        "fraud_rate",
        KNOWN_1D,
        KNOWN_7D,
        KNOWN_30D,
        KNOWN_90D,
    ),
    *labels(Entity.MERCHANT, Aggregation.FRAUD_RUN, "fraud_run", KNOWN_90D),
    *labels(Entity.MERCHANT, Aggregation.FRAUD_RUN_HOURS, "fraud_run_hours", KNOWN_90D),
    *labels(Entity.MERCHANT, Aggregation.FRAUD_RUN_DAYS, "fraud_run_days", KNOWN_90D),
    *labels(Entity.MERCHANT, Aggregation.FRAUD_RUN_MIN, "fraud_run_amount_min", KNOWN_90D),
    *labels(Entity.MERCHANT, Aggregation.FRAUD_RUN_MEAN, "fraud_run_amount_mean", KNOWN_90D),
    *labels(Entity.MERCHANT, Aggregation.FRAUD_MEAN, "fraud_amount_mean", KNOWN_30D),
    *labels(Entity.MERCHANT, Aggregation.LAST_FRAUD, "last_fraud_amount", KNOWN_90D),
    *labels(Entity.MERCHANT, Aggregation.SINCE_FRAUD, "hours_since_fraud", KNOWN_90D),
    *labels(Entity.MERCHANT, Aggregation.SINCE_GENUINE, "hours_since_genuine", KNOWN_90D),
    *last_labels(Entity.MERCHANT, 1, 2, 3, 4, 5),
    fraud_of_last(Entity.MERCHANT, 10),
]

_DEVICE = [
    *counts(Entity.DEVICE, HOUR_1, DAY_1),
    *amounts(Entity.DEVICE, Aggregation.SUM, "sum", DAY_1),
    distinct(Entity.DEVICE, Field.CARD, "cards", DAY_1),
    distinct(Entity.DEVICE, Field.PAYER, "payers", DAYS_7),
    *labels(Entity.DEVICE, Aggregation.FRAUD_COUNT, "fraud_count", KNOWN_30D),
]

_IP = [
    *counts(Entity.IP, MINUTES_10, DAY_1),
    distinct(Entity.IP, Field.CARD, "cards", DAY_1),
    *labels(Entity.IP, Aggregation.FRAUD_COUNT, "fraud_count", KNOWN_30D),
]

_PAYER_MERCHANT = [
    *counts(Entity.PAYER_MERCHANT, DAY_1, DAYS_90),
    against_own(Entity.PAYER_MERCHANT, Aggregation.RATIO_TO_MEAN, "to_mean", DAYS_90),
    of(
        "payer_merchant_hours_since_last",
        "hours since the payer was last with this merchant, within 90d",
        Entity.PAYER_MERCHANT,
        Aggregation.SINCE_LAST,
        DAYS_90,
    ),
]

_PAYER_DEVICE = [
    *counts(Entity.PAYER_DEVICE, DAY_1, DAYS_90),
    of(
        "payer_device_hours_since_first",
        "hours since the payer was first seen with this device, within 90d",
        Entity.PAYER_DEVICE,
        Aggregation.SINCE_FIRST,
        DAYS_90,
    ),
]

CATALOGUE = FeatureSet(
    [*_REQUEST, *_CARD, *_PAYER, *_MERCHANT, *_DEVICE, *_IP, *_PAYER_MERCHANT, *_PAYER_DEVICE]
)
