"""Units of features, in words, for people who read a value."""

from collections.abc import Mapping

from domain.features.declarations.feature import Aggregation, Feature, Field

MONEY = "money"
"""Units of the base currency."""

_A = Aggregation
_UNITS: Mapping[Aggregation, str] = {
    _A.COUNT: "payments",
    _A.SUM: MONEY,
    _A.MEAN: MONEY,
    _A.STD: MONEY,
    _A.MIN: MONEY,
    _A.MAX: MONEY,
    _A.QUANTILE: MONEY,
    _A.RATIO_TO_MEAN: "times",
    _A.RATIO_TO_MAX: "times",
    _A.RATIO_TO_QUANTILE: "times",
    _A.RATIO_TO_CORE_MEAN: "times",
    _A.MAX_TO_QUANTILE: "times",
    _A.Z_SCORE: "deviations",
    _A.ROBUST_Z: "deviations",
    _A.SINCE_LAST: "hours",
    _A.SINCE_FIRST: "hours",
    _A.SINCE_HIGH: "hours",
    _A.SINCE_FIRST_HIGH: "hours",
    _A.HOUR_DEVIATION: "0 to 2",
    _A.HIGH_COUNT: "payments",
    _A.DISTINCT: "different",
    _A.IS_NEW: "1 is new",
    _A.DISTANCE: "km",
    _A.SPEED: "km/h",
    _A.LABEL_COUNT: "labels",
    _A.FRAUD_COUNT: "frauds",
    _A.FRAUD_RATE: "0 to 1",
    _A.FRAUD_RUN: "frauds",
    _A.FRAUD_RUN_HOURS: "hours",
    _A.FRAUD_RUN_DAYS: "days",
    _A.FRAUD_RUN_MIN: MONEY,
    _A.FRAUD_RUN_MEAN: MONEY,
    _A.FRAUD_MEAN: MONEY,
    _A.LAST_FRAUD: MONEY,
    _A.SINCE_FRAUD: "hours",
    _A.SINCE_FIRST_FRAUD: "hours",
    _A.SINCE_GENUINE: "hours",
    _A.FRAUD_OF_LAST: "frauds",
    _A.NTH_LAST_LABEL: "1 is fraud",
}
_OF_REQUEST: Mapping[Field, str] = {
    Field.AMOUNT: MONEY,
    Field.HOUR_SIN: "-1 to 1",
    Field.HOUR_COS: "-1 to 1",
}


def unit_of(feature: Feature) -> str:
    """One or two words: `hours`, `payments`, `1 is new`."""
    if feature.aggregation is Aggregation.REQUEST:
        field = feature.field
        return _OF_REQUEST.get(field, "1 is yes") if field is not None else ""
    if feature.aggregation is Aggregation.COUNT and feature.filter is not None:
        return "step-ups" if feature.filter.value.startswith("step-up") else "payments"
    return _UNITS[feature.aggregation]
