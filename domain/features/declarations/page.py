"""Text of the reference page of a feature set (docs/features.md)."""

from domain.features.declarations.catalogue import CATALOGUE
from domain.features.declarations.feature import Aggregation, Feature
from domain.features.declarations.feature_set import FeatureSet
from domain.times import DAY, HOUR, MINUTE, SECOND

_HEAD = """\
# Features

Generated from `domain/features/declarations/catalogue.py`; a test keeps it fresh:

    python -c "import domain.features.declarations.page as p; print(p.features_page(), end='')" \\
      > docs/features.md

Feature set `{hash}`, {count} features.

## How to read a value

- **Window.** A feature with window W and resolution g, for a transaction at time t, holds the
  events of the same entity with floor(t - W) <= floor(e.time) <= floor(t), floor being the start of
  the tile of length g. The transaction itself is left out: it is decided before its own event is
  folded. A vector made again is made from the states below that event.
- **When.** Events count from their arrival on, late ones too, and equal times count when they came
  before. Values are finished at the transaction's time, so they fall as time passes without events.
- **Horizon.** A window's tiles are kept as far as W and a slack behind the greatest event time of
  the entity: a tenth of W, an hour at least, or twice W where that is less. Older events are
  dropped and counted, whenever they come. Labels have a greatest time of their own.
- **Payer.** Who pays is the customer, or the card where no customer is named, by its id alone: one
  id is one payer in whichever field it stands. What is known of the cards of a customer is thus
  kept together, and a file with cards alone lacks none of it. Where customers and cards are
  numbered alike and some payments lack the customer, give the ids of one of them a prefix.
- **Pairs.** `payer_merchant` is what this payer did with this merchant, and so on: the transactions
  that name both.
- **Unknown.** An entity or field that the transaction lacks, or an aggregate of nothing, is unknown
  and takes the default; a count or sum of nothing is 0.
- **Caps.** "Not seen before" looks at the latest pairs of tile and id of an entity, quantiles at
  its latest amounts, labels at its latest labels, as many as the cap says. In a tie of tile the
  greater 64-bit digest of the id stays; among amounts or labels of equal time that of the event.
- **Distinct counts** are exact where no tile of the window has more ids than the cap. Beyond it a
  tile keeps the ids whose digest ends in L zero bits, L the least that brings them within the cap;
  the window then counts the ids that end in as many as its highest L, 2^L times each. With a cap of
  64 the error is some percent where thousands are counted. The sample depends on the ids alone, so
  every engine has the same.
- **Quantiles** are by nearest rank: of n sorted amounts the one at ceil(n * q). A high count is
  that of the amounts of the window above so many times the quantile of the baseline window; hours
  since the first or last such amount and the greatest amount are held against it alike. The median
  deviation is the median of the distances from the median.
- **Time of day.** The deviation is 1 - cos of the angle between the hour (UTC) and the mean hour of
  the window, by sums of sines in 1/4096.
- **Labels.** A label counts from its known time on, and only in whole past tiles. Of the labels of
  one transaction that are known by then the last in the log alone counts, whichever clock was
  ahead: a reversal replaces the earlier label from its own known time on, and until then the
  earlier one counts. One that became known no sooner than a later one of the log never counts. A
  rate is fraud labels over all labels. The current run of fraud is that of the last labels in the
  order of their knowing; its age counts from the first,
  in hours, or in days of the calendar (UTC). An amount of labels is that of their transactions.
- **Filters.** `declined` counts decisions, and imported history holds none. Without a filter
  attempts count, decided or imported. Filters on step-ups count those that ended so, once each, by
  the time of their transaction: from their arrival on, as what comes late does.
- **Bits.** States hold integers alone. Each integer becomes a float64 once, then only + - * / and
  sqrt are used, in the order of `domain/features/kernel/stores/tiles.py`. A standard deviation is
  taken from the exact integer n * sum of squares - sum * sum. Amounts are in units of the base
  currency. Distance is a chord between integer unit vectors (scale 2^24).
- **Limits.** An amount is below 2^56 minor units of the base currency, and those of one window are
  below 2^63 together; a version map names 64 source partitions at most.
"""

_COLUMNS = (
    "Name",
    "Meaning",
    "Aggregation",
    "Window",
    "Resolution",
    "Filter",
    "Cap",
    "Of",
    "Type",
    "Default",
)


def features_page(features: FeatureSet = CATALOGUE) -> str:
    """Markdown, one table per entity, in the order of the vector."""
    parts = [_HEAD.format(hash=features.hash, count=len(features))]
    parts.append(_table("Request", [f for f in features.features if f.entity is None]))
    parts.extend(
        _table(e.value.replace("_", " and ").capitalize(), features.by_entity[e])
        for e in features.entities
    )
    return "\n".join(parts)


def _table(title: str, features: list[Feature] | tuple[Feature, ...]) -> str:
    rows = [_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), *map(_described, features)]
    return f"## {title}\n\n" + "\n".join(rows) + "\n"


def _described(feature: Feature) -> str:
    window = feature.window
    return _row(
        [
            f"`{feature.name}`",
            feature.meaning,
            feature.aggregation.value,
            _length(window.span) if window else "",
            _length(window.tile) if window else "",
            feature.filter.value if feature.filter else "",
            str(feature.cap or ""),
            _of(feature),
            _TYPES.get(feature.aggregation, "float"),
            "unknown" if feature.default is None else str(feature.default),
        ]
    )


def _of(feature: Feature) -> str:
    """What else the value depends on: its quantile, its baseline, its number of labels."""
    parts = [
        f"q = {feature.quantile / 1000:g}" if feature.quantile else "",
        f"baseline {feature.baseline.name}" if feature.baseline else "",
        f"{feature.times} times" if feature.times else "",
        f"n = {feature.last}" if feature.last else "",
    ]
    return ", ".join(part for part in parts if part)


_TYPES = {
    Aggregation.COUNT: "whole number",
    Aggregation.DISTINCT: "whole number",
    Aggregation.LABEL_COUNT: "whole number",
    Aggregation.FRAUD_COUNT: "whole number",
    Aggregation.HIGH_COUNT: "whole number",
    Aggregation.FRAUD_RUN: "whole number",
    Aggregation.FRAUD_RUN_DAYS: "whole number",
    Aggregation.FRAUD_OF_LAST: "whole number",
    Aggregation.NTH_LAST_LABEL: "0 or 1",
    Aggregation.IS_NEW: "0 or 1",
}


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _length(micros: int) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if micros % unit == 0:
            return f"{micros // unit} {name}"
    return f"{micros} us"
