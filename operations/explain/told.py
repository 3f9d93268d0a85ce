"""What an explanation tells: plain values, ready for people and for JSON.

Times are RFC 3339, amounts decimal text in major units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

EVENTS_SHOWN = 20
"""Of each feature, the newest; `total` says how many there are."""


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """`kind` is `payment`, `label` or `step_up`; `label` is 1 for fraud, 0 for genuine.

    `time` is that which features go by: of a label when it became known. `position` is
    `partition/offset`. `amount` is in the base currency.
    """

    event_id: str
    transaction_id: str
    kind: Literal["payment", "label", "step_up"]
    time: str
    known_time: str
    amount: str
    position: str
    label: int | None = None


@dataclass(frozen=True, slots=True)
class ToldEntity:
    """One entity at the decision. `read` is false where no state of it was.

    `versions` are by partition the last offset of its state, `beside` the positions of recent
    events beside it. Counts are of what lies within the reach of features; `first` and `last` are
    by time.
    """

    entity: str
    key: dict[str, str]
    read: bool
    versions: dict[str, int]
    beside: list[str]
    payments: int
    labels: int
    step_ups: int
    first: ToldEvent | None
    last: ToldEvent | None


@dataclass(frozen=True, slots=True)
class Usual:
    """Of the model's training data: the middle eight tenths of what was known, the share of what
    was unknown, and the value of a typical genuine payment."""

    low: float | None
    high: float | None
    unknown: float
    typical: float | None


@dataclass(frozen=True, slots=True)
class ToldFeature:
    """`value` as recorded, or, where nothing was decided, as a perfect reader would have seen it.

    `contribution` is what it adds to the model's log odds. `as_known` is the value by what was
    known later. `total` events made it, of which `events` are the newest.
    """

    name: str
    entity: str | None
    meaning: str
    unit: str
    value: float | None
    usual: Usual | None
    contribution: float | None
    as_known: float | None
    total: int
    events: list[ToldEvent]


@dataclass(frozen=True, slots=True)
class ToldRule:
    """`words` with the values that they name; `values` of all that the condition names, without
    those that were unknown."""

    name: str
    action: str
    condition: str
    words: str
    values: dict[str, float | int | str | bool]
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class ToldRules:
    """Of the set of rules in force, by what they did."""

    version: int
    fired: list[ToldRule]
    shadow: list[ToldRule]
    not_evaluable: list[ToldRule]


@dataclass(frozen=True, slots=True)
class ToldChange:
    """`by` is who could have: `customer` or `analyst`."""

    what: str
    by: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ToldCounterfactual:
    """Together these changes give this decision: it was taken again with them."""

    changes: list[ToldChange]
    outcome: str
    score: float
    reasons: dict[str, str]


@dataclass(frozen=True, slots=True)
class ToldCounterfactuals:
    """The smallest change first; `tried` decisions were taken again for them."""

    found: list[ToldCounterfactual]
    tried: int
    note: str


@dataclass(frozen=True, slots=True)
class ToldDecision:
    """As recorded. `log_odds` are those of the score, None where the model did not decide."""

    outcome: str
    score: float
    log_odds: float | None
    path: str
    flags: list[str]
    reasons: dict[str, str]
    thresholds: dict[str, float]
    model_id: str
    model_hash: str
    policy_version: int
    feature_set: str
    decided_at: str
    suppressed_by: str | None


@dataclass(frozen=True, slots=True)
class ToldAsKnown:
    """By what was known at a time: `more` events than were served, `fewer` that were not known yet,
    and the decision by them, None where there was none."""

    at: str
    more: list[ToldEvent]
    more_total: int
    fewer_total: int
    differing: list[str]
    outcome: str | None
    score: float | None
    reasons: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Cost:
    """Archived files, of which some were opened, and the records that were looked through in these:
    those of whom the payment names, and then those of whom it might have named."""

    files: int
    opened: int
    records: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """All of it. `status` is `decided`, `imported` or `submitted`; `notes` say what is lacking."""

    transaction_id: str
    status: str
    position: str
    known_time: str
    transaction: dict[str, Any]
    decision: ToldDecision | None
    entities: list[ToldEntity]
    features: list[ToldFeature]
    events_shown: int
    rules: ToldRules | None
    counterfactuals: ToldCounterfactuals | None
    as_known: ToldAsKnown | None
    cost: Cost
    notes: list[str] = field(default_factory=list)
