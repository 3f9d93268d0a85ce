"""Declaration of one feature, and the rules that a declaration must satisfy."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from domain.errors import RetraceError
from domain.features.declarations.windows import Window
from domain.features.entities import Entity

# Part of every hash: raised whenever the meaning of a declaration or of a state's bytes changes.
SEMANTICS = 3
MAX_TILES = 64
MAX_CAP = 4096
MAX_TIMES = 64  # so many greatest amounts stay within an int64


class DeclarationError(RetraceError):
    """A feature is declared wrongly; the text names it and tells what to do.

    `key` is the part of the declaration that is wrong, and `message` what is wrong with it.
    """

    def __init__(self, feature: str, message: str, key: str = "name") -> None:
        super().__init__(f"feature {feature!r}: {message}")
        self.key, self.message = key, message


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
    SINCE_FIRST = "hours since the first"
    HOUR_DEVIATION = "deviation from own time of day"
    QUANTILE = "quantile"
    RATIO_TO_QUANTILE = "ratio to own quantile"
    ROBUST_Z = "median deviations from own median"
    RATIO_TO_CORE_MEAN = "ratio to own mean without outliers"
    HIGH_COUNT = "count above own quantile"
    SINCE_HIGH = "hours since the last above own quantile"
    SINCE_FIRST_HIGH = "hours since the first above own quantile"
    MAX_TO_QUANTILE = "maximum over own quantile"
    DISTINCT = "distinct count"
    IS_NEW = "not seen before"
    DISTANCE = "km from the last"
    SPEED = "km/h from the last"
    LABEL_COUNT = "labels"
    FRAUD_COUNT = "fraud labels"
    FRAUD_RATE = "fraud labels / labels"
    FRAUD_RUN = "length of the current run of fraud labels"
    FRAUD_RUN_HOURS = "age in hours of the current run of fraud labels"
    FRAUD_RUN_DAYS = "age in calendar days of the current run of fraud labels"
    FRAUD_RUN_MIN = "least amount of the current run of fraud labels"
    FRAUD_RUN_MEAN = "mean amount of the current run of fraud labels"
    FRAUD_MEAN = "mean amount of fraud labels"
    LAST_FRAUD = "amount of the last fraud label"
    SINCE_FRAUD = "hours since the last fraud label"
    SINCE_FIRST_FRAUD = "hours since the first fraud label"
    SINCE_GENUINE = "hours since the last genuine label"
    FRAUD_OF_LAST = "fraud labels among the last"
    NTH_LAST_LABEL = "n-th last label"


class Field(StrEnum):
    """What is aggregated: a number, an id, the place, the label, or a part of the request."""

    AMOUNT = "amount"
    CARD = "card_id"
    PAYER = "payer_id"
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
    """Which transactions count. One on outcome counts decisions: imported history has none. One on
    step-ups counts those alone, once for each that ended so, at the time of its transaction."""

    DECLINED = "declined"
    REMOTE = "remote"
    APPROVED = "approved"
    STEP_UP_FAILED = "step-up failed"
    STEP_UP_PASSED = "step-up passed"


NUMBERS = frozenset({Field.AMOUNT})
IDS = frozenset(
    {Field.CARD, Field.PAYER, Field.CUSTOMER, Field.MERCHANT, Field.DEVICE, Field.IP, Field.COUNTRY}
)
REQUESTS = frozenset(
    {Field.AMOUNT, Field.HOUR_SIN, Field.HOUR_COS, Field.NIGHT, Field.WEEKEND, Field.REMOTE}
)
_A = Aggregation
OF_LABELS = frozenset(
    {
        _A.LABEL_COUNT,
        _A.FRAUD_COUNT,
        _A.FRAUD_RATE,
        _A.FRAUD_RUN,
        _A.FRAUD_RUN_HOURS,
        _A.FRAUD_RUN_DAYS,
        _A.FRAUD_RUN_MIN,
        _A.FRAUD_RUN_MEAN,
        _A.FRAUD_MEAN,
        _A.LAST_FRAUD,
        _A.SINCE_FRAUD,
        _A.SINCE_FIRST_FRAUD,
        _A.SINCE_GENUINE,
        _A.FRAUD_OF_LAST,
        _A.NTH_LAST_LABEL,
    }
)
OF_BASELINE = frozenset({_A.HIGH_COUNT, _A.SINCE_HIGH, _A.SINCE_FIRST_HIGH, _A.MAX_TO_QUANTILE})
OF_TIMES = frozenset({_A.HIGH_COUNT, _A.SINCE_HIGH, _A.SINCE_FIRST_HIGH, _A.RATIO_TO_CORE_MEAN})
OF_VALUES = OF_BASELINE | {_A.QUANTILE, _A.RATIO_TO_QUANTILE, _A.ROBUST_Z, _A.RATIO_TO_CORE_MEAN}
OF_PLACES = frozenset({_A.DISTANCE, _A.SPEED})
OF_IDS = frozenset({_A.DISTINCT, _A.IS_NEW})
WITHOUT_FIELD = frozenset({_A.COUNT, _A.SINCE_LAST, _A.SINCE_FIRST, _A.HOUR_DEVIATION})
CAPPED = OF_LABELS | OF_VALUES | OF_IDS
OF_LAST = frozenset({_A.FRAUD_OF_LAST, _A.NTH_LAST_LABEL})

_Problem = tuple[str, str] | None
"""(key, what is wrong with it)"""


def fields_of(aggregation: Aggregation) -> frozenset[Field]:
    """What may be aggregated so; empty where there is nothing to name."""
    if aggregation is Aggregation.REQUEST:
        return REQUESTS
    if aggregation in WITHOUT_FIELD:
        return frozenset()
    if aggregation in OF_LABELS:
        return frozenset({Field.LABEL})
    if aggregation in OF_PLACES:
        return frozenset({Field.PLACE})
    return IDS if aggregation in OF_IDS else NUMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One declared feature; `entity` is None for a plain value of the request.

    `cap` bounds what is kept one by one: the latest `cap` labels, values, or pairs of tile and id;
    for a distinct count the ids of one tile, beyond which it is estimated from a sample. `quantile`
    is in thousandths (500 is the median), by nearest rank. `baseline` is the window whose quantile
    the amounts of `window` are held against; those above `times` that quantile are high, or no part
    of a core mean. `last` is the n of labels. `default` stands where the value is
    unknown. A value depends on its own declaration alone, never on what is declared beside it.
    """

    name: str
    meaning: str
    aggregation: Aggregation
    entity: Entity | None = None
    field: Field | None = None
    window: Window | None = None
    filter: Filter | None = None
    cap: int | None = None
    quantile: int | None = None
    baseline: Window | None = None
    times: int | None = None
    last: int | None = None
    default: float | None = None

    @property
    def definition(self) -> str:
        """A digest of all that the value depends on, the name included, the meaning not."""
        return sha256(f"{SEMANTICS}|{self.canonical()}".encode()).hexdigest()[:12]

    def check(self) -> None:
        """Raises DeclarationError."""
        for problem in (self._name, self._kind, self._field, self._bounds, self._numbers):
            found = problem()
            if found is not None:
                key, text = found
                raise DeclarationError(self.name, text, key)

    def canonical(self) -> str:
        """All that the value depends on, as text; the meaning is for people alone."""
        spans = [f"{w.span}/{w.tile}/{w.horizon}" if w else "" for w in self._windows()]
        parts = (
            *(self.name, self.entity, self.aggregation.name, self.field, *spans, self.filter),
            *(self.cap, self.quantile, self.times, self.last),
            None if self.default is None else float(self.default).hex(),
        )
        return "|".join("" if part is None else str(part) for part in parts)

    def _windows(self) -> tuple[Window | None, Window | None]:
        return self.window, self.baseline

    def _name(self) -> _Problem:
        if self.name.isidentifier() and self.name.islower():
            return None
        text = "a name is lower case letters, digits and underscores, and begins with a letter"
        return "name", text

    def _kind(self) -> _Problem:
        for key, asked, known in (
            ("aggregation", self.aggregation, Aggregation),
            ("entity", self.entity, Entity),
            ("filter", self.filter, Filter),
        ):
            if asked is not None and not isinstance(asked, known):
                return key, f"unknown {key} {asked!r}; known: {', '.join(known)}"
        if self.filter is not None and self.aggregation in OF_LABELS:
            return "filter", "labels carry no outcome and no channel: take the filter away"
        if self.filter is not None and self.aggregation is Aggregation.REQUEST:
            return "filter", "a value of the request has no filter"
        if (self.entity is None) != (self.aggregation is Aggregation.REQUEST):
            text = "a value of the request has no entity, and every other feature has one"
            return "entity", text
        return None

    def _field(self) -> _Problem:
        allowed = fields_of(self.aggregation)
        if self.field is None and not allowed:
            return None
        if self.field in allowed:
            return None
        known = ", ".join(sorted(allowed)) or "none"
        text = f"unknown field {self.field!r} for {self.aggregation.value!r}; known: {known}"
        return "field", text

    def _bounds(self) -> _Problem:
        if self.entity is None:
            text = "a value of the request has no window"
            return None if self.window is None else ("window", text)
        if self.window is None:
            return "window", "state would be unbounded: give a window"
        for key, window in (("window", self.window), ("baseline", self.baseline)):
            if window is None:
                continue
            if window.tile <= 0 or window.span < window.tile:
                text = f"window {window.name}: the tile is to be positive and within the span"
                return key, text
            if window.span > MAX_TILES * window.tile and self.aggregation not in OF_LABELS:
                tiles = window.span // window.tile
                return key, (
                    f"window {window.name} spans {tiles} tiles, more than {MAX_TILES}: "
                    "coarser tiles"
                )
        return None

    def _numbers(self) -> _Problem:
        for name, what, wanted, most in (
            ("cap", self.cap, CAPPED, MAX_CAP),
            ("quantile", self.quantile, OF_VALUES, 1000),
            ("times", self.times, OF_TIMES, MAX_TIMES),
            ("last", self.last, OF_LAST, 64),
            ("baseline", self.baseline, OF_BASELINE, None),
        ):
            if (self.aggregation in wanted) != (what is not None):
                if what is not None:
                    return name, f"{self.aggregation.value!r} has no {name}: take it away"
                unbounded = "state would be unbounded: give a cap"
                return name, unbounded if name == "cap" else f"give a {name}"
            if most is not None and what is not None and not 0 < int(str(what)) <= most:
                return name, f"a {name} is from 1 to {most}, this is {what}"
        return None
