"""Shorthand of the catalogue: one feature declared over several windows at once."""

from domain.features.declarations.feature import Aggregation, Feature, Field, Filter
from domain.features.declarations.windows import DAYS_30, KNOWN_90D, Window
from domain.features.entities import Entity

_SEEN = 256  # pairs of tile and id kept for novelty
_DISTINCT = 64  # ids of one tile counted exactly; beyond it a sample is
_AMOUNTS = 128  # amounts kept for quantiles
_LABELS = 512  # labels kept per entity
_MEDIAN, _HIGH = 500, 950
_FAR = 3  # times the own median: beyond what an entity ordinarily pays


def request(name: str, field: Field, meaning: str) -> Feature:
    return Feature(name=name, meaning=meaning, aggregation=Aggregation.REQUEST, field=field)


def counts(entity: Entity, *windows: Window) -> list[Feature]:
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


def failed_step_ups(entity: Entity, *windows: Window) -> list[Feature]:
    return [
        Feature(
            name=f"{entity}_step_ups_failed_{window.name}",
            meaning=f"step-ups of the {entity} that failed or were abandoned, of transactions in "
            f"the last {window.name}",
            aggregation=Aggregation.COUNT,
            entity=entity,
            window=window,
            filter=Filter.STEP_UP_FAILED,
        )
        for window in windows
    ]


def passed_step_ups(entity: Entity, window: Window) -> Feature:
    name = f"{entity}_step_ups_passed_{window.name}"
    meaning = f"step-ups that the {entity} passed, of transactions in the last {window.name}"
    return of(name, meaning, entity, Aggregation.COUNT, window, filter=Filter.STEP_UP_PASSED)


def amounts(entity: Entity, aggregation: Aggregation, kind: str, *windows: Window) -> list[Feature]:
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


def against_own(entity: Entity, aggregation: Aggregation, kind: str, window: Window) -> Feature:
    return Feature(
        name=f"{entity}_amount_{kind}_{window.name}",
        meaning=f"{aggregation.value}: amount against the {entity}'s in the last {window.name}",
        aggregation=aggregation,
        entity=entity,
        field=Field.AMOUNT,
        window=window,
    )


def distinct(entity: Entity, field: Field, plural: str, window: Window) -> Feature:
    return Feature(
        name=f"{entity}_distinct_{plural}_{window.name}",
        meaning=f"different {plural} seen with the {entity} in the last {window.name}",
        aggregation=Aggregation.DISTINCT,
        entity=entity,
        field=field,
        window=window,
        cap=_DISTINCT,
    )


def new(entity: Entity, field: Field, singular: str) -> Feature:
    return Feature(
        name=f"{entity}_new_{singular}",
        meaning=f"1 if the {entity} was not seen with this {singular} in the last 30d, else 0",
        aggregation=Aggregation.IS_NEW,
        entity=entity,
        field=field,
        window=DAYS_30,
        cap=_SEEN,
    )


def of(
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


def labels(entity: Entity, aggregation: Aggregation, kind: str, *windows: Window) -> list[Feature]:
    return [
        Feature(
            name=f"{entity}_{kind}_{window.name}",
            meaning=f"{aggregation.value} that became known of the {entity} in the last "
            f"{window.name}, up to the last whole minute",
            aggregation=aggregation,
            entity=entity,
            field=Field.LABEL,
            window=window,
            cap=_LABELS,
        )
        for window in windows
    ]


def quantiles(entity: Entity, window: Window) -> list[Feature]:
    """The amount against the median and a high quantile of the entity's own."""
    return [
        Feature(
            name=f"{entity}_amount_to_{name}_{window.name}",
            meaning=f"amount against the {words} of the {entity}'s last {_AMOUNTS} amounts within "
            f"{window.name}",
            aggregation=Aggregation.RATIO_TO_QUANTILE,
            entity=entity,
            field=Field.AMOUNT,
            window=window,
            cap=_AMOUNTS,
            quantile=quantile,
        )
        for name, words, quantile in (("median", "median", _MEDIAN), ("q95", "95% quantile", _HIGH))
    ]


def against_core(entity: Entity, window: Window) -> list[Feature]:
    """The amount against the entity's own ordinary amounts, which a few outliers do not move."""
    return [
        Feature(
            name=f"{entity}_amount_robust_z_{window.name}",
            meaning=f"amount less the median of the {entity}'s last {_AMOUNTS} amounts within "
            f"{window.name}, in median deviations from it",
            aggregation=Aggregation.ROBUST_Z,
            entity=entity,
            field=Field.AMOUNT,
            window=window,
            cap=_AMOUNTS,
            quantile=_MEDIAN,
        ),
        Feature(
            name=f"{entity}_amount_to_core_mean_{window.name}",
            meaning=f"amount against the mean of the {entity}'s last {_AMOUNTS} amounts within "
            f"{window.name}, without those above {_FAR} times their median",
            aggregation=Aggregation.RATIO_TO_CORE_MEAN,
            entity=entity,
            field=Field.AMOUNT,
            window=window,
            cap=_AMOUNTS,
            quantile=_MEDIAN,
            times=_FAR,
        ),
    ]


def high_counts(entity: Entity, baseline: Window, *windows: Window) -> list[Feature]:
    return [
        _beyond(
            f"{entity}_high_count_{window.name}",
            f"transactions of the {entity} in the last {window.name} above the 95% quantile",
            Aggregation.HIGH_COUNT,
            entity,
            baseline,
            window,
            quantile=_HIGH,
            times=1,
        )
        for window in windows
    ]


def far_counts(entity: Entity, baseline: Window, *windows: Window) -> list[Feature]:
    return [
        _beyond(
            f"{entity}_far_count_{window.name}",
            f"transactions of the {entity} in the last {window.name} above {_FAR} times the median",
            Aggregation.HIGH_COUNT,
            entity,
            baseline,
            window,
            times=_FAR,
        )
        for window in windows
    ]


def since_far(
    entity: Entity, aggregation: Aggregation, which: str, baseline: Window, window: Window
) -> Feature:
    return _beyond(
        f"{entity}_hours_since_{which}_far_{window.name}",
        f"hours since the {which} transaction of the {entity} within {window.name} that was above "
        f"{_FAR} times the median",
        aggregation,
        entity,
        baseline,
        window,
        times=_FAR,
    )


def maxima_to_median(entity: Entity, baseline: Window, *windows: Window) -> list[Feature]:
    return [
        _beyond(
            f"{entity}_amount_max_to_median_{window.name}",
            f"greatest amount of the {entity} in the last {window.name} against the median",
            Aggregation.MAX_TO_QUANTILE,
            entity,
            baseline,
            window,
        )
        for window in windows
    ]


def _beyond(
    name: str,
    meaning: str,
    aggregation: Aggregation,
    entity: Entity,
    baseline: Window,
    window: Window,
    quantile: int = _MEDIAN,
    times: int | None = None,
) -> Feature:
    return Feature(
        name=name,
        meaning=f"{meaning} of its last {_AMOUNTS} amounts within {baseline.name}",
        aggregation=aggregation,
        entity=entity,
        field=Field.AMOUNT,
        window=window,
        baseline=baseline,
        cap=_AMOUNTS,
        quantile=quantile,
        times=times,
    )


def last_labels(entity: Entity, *lasts: int) -> list[Feature]:
    return [
        Feature(
            name=f"{entity}_label_{last}",
            meaning=f"1 if the label {last} from the last known of the {entity} within 90d is "
            "fraud, 0 if genuine",
            aggregation=Aggregation.NTH_LAST_LABEL,
            entity=entity,
            field=Field.LABEL,
            window=KNOWN_90D,
            cap=_LABELS,
            last=last,
        )
        for last in lasts
    ]


def fraud_of_last(entity: Entity, last: int) -> Feature:
    return Feature(
        name=f"{entity}_fraud_of_last_{last}",
        meaning=f"fraud among the last {last} labels known of the {entity} within 90d",
        aggregation=Aggregation.FRAUD_OF_LAST,
        entity=entity,
        field=Field.LABEL,
        window=KNOWN_90D,
        cap=_LABELS,
        last=last,
    )
