"""Owns how one feature is declared and what a declaration must satisfy; computes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from domain.errors import RetraceError
from domain.features.entities import Entity
from domain.times import DAY, HOUR, MINUTE, SECOND

MAX_TILES = 64
MAX_CAP = 4096


class DeclarationError(RetraceError):
    """A feature is declared wrongly; the text names it and tells what to do."""

    def __init__(self, feature: str, message: str) -> None:
        super().__init__(f"feature {feature!r}: {message}")


class Aggregation(StrEnum):
    REQUEST = "value of the request"
    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    STD = "standard deviation"
    MIN = "minimum"
    MAX = "maximum"
    RATIO_TO_MEAN = "ratio to own mean"
    RATIO_TO_MAX = "ratio to own maximum"
    Z_SCORE = "deviations from own mean"
    SINCE_LAST = "hours since the last"
    DISTINCT = "distinct count"
    IS_NEW = "not seen before"
    DISTANCE = "km from the last"
    SPEED = "km/h from the last"
    LABEL_COUNT = "labels"
    FRAUD_COUNT = "fraud labels"
    FRAUD_RATE = "fraud labels / labels"


class Field(StrEnum):
    """What is aggregated: a number, an id, the place, the label, or a part of the request."""

    AMOUNT = "amount"
    CARD = "card_id"
    CUSTOMER = "customer_id"
    MERCHANT = "merchant_id"
    DEVICE = "device_id"
    IP = "ip"
    COUNTRY = "country"
    PLACE = "place"
    LABEL = "label"
    HOUR_SIN = "hour_sin"
    HOUR_COS = "hour_cos"
    NIGHT = "night"
    WEEKEND = "weekend"
    REMOTE = "remote"


class Filter(StrEnum):
    """Which transactions count. One on outcome counts decisions: imported history has none."""

    DECLINED = "declined"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Window:
    """The last `span`, held in tiles of `tile` (the resolution), both in microseconds.

    At time t it holds the events with floor(t - span) <= floor(e.time) <= floor(t), floor being
    that of the tile; for labels only whole past tiles, the one of t left out. `horizon` is how far
    behind the greatest time seen a state reaches. The slack beyond the span is room for late
    arrivals: a tenth of the span, an hour at least, and twice the span where that is less, so that
    the finest tiles stay few.
    """

    name: str
    span: int
    tile: int
    horizon: int = field(init=False)

    def __post_init__(self) -> None:
        slack = max(self.span // 10, min(HOUR, 2 * self.span))
        object.__setattr__(self, "horizon", self.span + slack)


MINUTES_10 = Window("10m", 10 * MINUTE, 20 * SECOND)
HOUR_1 = Window("1h", HOUR, MINUTE)
DAY_1 = Window("1d", DAY, 30 * MINUTE)
DAYS_7 = Window("7d", 7 * DAY, 3 * HOUR)
DAYS_30 = Window("30d", 30 * DAY, 12 * HOUR)

NUMBERS = frozenset({Field.AMOUNT})
IDS = frozenset({Field.CARD, Field.CUSTOMER, Field.MERCHANT, Field.DEVICE, Field.IP, Field.COUNTRY})
PLACES = frozenset({Field.PLACE})
LABELS = frozenset({Field.LABEL})
REQUESTS = frozenset(
    {
        Field.AMOUNT,
        Field.HOUR_SIN,
        Field.HOUR_COS,
        Field.NIGHT,
        Field.WEEKEND,
        Field.REMOTE,
    }
)
FIELDS_OF: dict[Aggregation, frozenset[Field]] = {
    Aggregation.REQUEST: REQUESTS,
    Aggregation.COUNT: frozenset(),
    Aggregation.SINCE_LAST: frozenset(),
    Aggregation.SUM: NUMBERS,
    Aggregation.MEAN: NUMBERS,
    Aggregation.STD: NUMBERS,
    Aggregation.MIN: NUMBERS,
    Aggregation.MAX: NUMBERS,
    Aggregation.RATIO_TO_MEAN: NUMBERS,
    Aggregation.RATIO_TO_MAX: NUMBERS,
    Aggregation.Z_SCORE: NUMBERS,
    Aggregation.DISTINCT: IDS,
    Aggregation.IS_NEW: IDS,
    Aggregation.DISTANCE: PLACES,
    Aggregation.SPEED: PLACES,
    Aggregation.LABEL_COUNT: LABELS,
    Aggregation.FRAUD_COUNT: LABELS,
    Aggregation.FRAUD_RATE: LABELS,
}
OF_LABELS = frozenset({Aggregation.LABEL_COUNT, Aggregation.FRAUD_COUNT, Aggregation.FRAUD_RATE})
CAPPED = OF_LABELS | {Aggregation.DISTINCT, Aggregation.IS_NEW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One declared feature; `entity` is None for a plain value of the request.

    `cap` bounds what is kept one by one (labels, or pairs of tile and value): the latest `cap`
    count. `default` stands where the value is unknown.
    """

    name: str
    meaning: str
    aggregation: Aggregation
    entity: Entity | None = None
    field: Field | None = None
    window: Window | None = None
    filter: Filter | None = None
    cap: int | None = None
    default: float | None = None

    def check(self) -> None:
        """Raises DeclarationError."""
        problem = self._name() or self._kind() or self._field() or self._bounds()
        if problem is not None:
            raise DeclarationError(self.name, problem)

    def canonical(self) -> str:
        """All that the value depends on, as text; the meaning is for people alone."""
        window = self.window
        span = f"{window.span}/{window.tile}/{window.horizon}" if window else ""
        parts = (self.name, self.entity, self.aggregation.name, self.field, span, self.filter)
        return "|".join("" if part is None else str(part) for part in (*parts, self.cap)) + (
            "" if self.default is None else f"|{float(self.default).hex()}"
        )

    def _name(self) -> str | None:
        if self.name.isidentifier() and self.name.islower():
            return None
        return "a name is lower case letters, digits and underscores, and begins with a letter"

    def _kind(self) -> str | None:
        for asked, known in (
            (self.aggregation, Aggregation),
            (self.entity, Entity),
            (self.filter, Filter),
        ):
            if asked is not None and not isinstance(asked, known):
                return f"unknown {known.__name__.lower()} {asked!r}; known: {', '.join(known)}"
        if self.filter is not None and self.aggregation in OF_LABELS:
            return "labels carry no outcome and no channel: take the filter away"
        if (self.entity is None) != (self.aggregation is Aggregation.REQUEST):
            return "a value of the request has no entity, and every other feature has one"
        return None

    def _field(self) -> str | None:
        allowed = FIELDS_OF[self.aggregation]
        if self.field is None and not allowed:
            return None
        if self.field in allowed:
            return None
        known = ", ".join(sorted(allowed)) or "none"
        return f"unknown field {self.field!r} for {self.aggregation.value!r}; known: {known}"

    def _bounds(self) -> str | None:
        if self.entity is None:
            return None if self.window is None else "a value of the request has no window"
        window = self.window
        if window is None:
            return "state would be unbounded: give a window"
        if window.tile <= 0 or window.span < window.tile:
            return f"window {window.name}: the tile is to be positive and within the span"
        if window.span > MAX_TILES * window.tile:
            tiles = window.span // window.tile
            return f"window {window.name} spans {tiles} tiles, more than {MAX_TILES}: coarser tiles"
        if (self.aggregation in CAPPED) != (self.cap is not None):
            return (
                "state would be unbounded: give a cap"
                if self.cap is None
                else f"{self.aggregation.value!r} has nothing to cap"
            )
        if self.cap is not None and not 0 < self.cap <= MAX_CAP:
            return f"a cap is from 1 to {MAX_CAP}, this is {self.cap}"
        return None
