"""An explanation over HTTP."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.schemas.decisions import ThresholdsOut
from domain.events import Outcome, Path


class EventOut(BaseModel):
    """One payment, label or end of a step-up that features know."""

    event_id: str
    transaction_id: str
    kind: Literal["payment", "label", "step_up"]
    time: str = Field(description="Of a label when it became known, of a step-up its payment's.")
    known_time: str
    amount: str = Field(description="In the base currency.")
    position: str = Field(description="partition/offset in the log.")
    label: int | None = Field(description="1 fraud, 0 genuine; null for what is no label.")


class EntityOut(BaseModel):
    """An entity as the decision saw it; counts are of what lies within the reach of features."""

    entity: str
    key: dict[str, str]
    read: bool = Field(description="False where no state was: its features were unknown.")
    versions: dict[str, int] = Field(description="By partition the last offset in its state.")
    beside: list[str] = Field(description="Positions of recent events beside the state.")
    payments: int
    labels: int
    step_ups: int
    first: EventOut | None
    last: EventOut | None


class UsualOut(BaseModel):
    """Of the model's training data."""

    low: float | None = Field(description="Where the middle eight tenths of known values begin.")
    high: float | None = Field(description="Where they end; null beyond the last bin.")
    unknown: float = Field(description="The share of payments without a value.")
    typical: float | None = Field(description="The value of a typical genuine payment.")


class ExplainedFeatureOut(BaseModel):
    """One feature, with the events that made it."""

    name: str
    entity: str | None
    meaning: str
    unit: str
    value: float | None = Field(description="As served; null is unknown.")
    usual: UsualOut | None
    contribution: float | None = Field(description="To the model's log odds.")
    as_known: float | None = Field(description="By what was known at `as_known_at`.")
    total: int = Field(description="How many events made it.")
    events: list[EventOut] = Field(description="The newest `events_shown` of them.")


class RuleOut(BaseModel):
    """A rule with what it saw."""

    name: str
    action: str
    condition: str
    words: str
    values: dict[str, bool | float | str]
    unknown: list[str] = Field(description="What it names and the decision did not know.")


class RulesOut(BaseModel):
    """What the rules in force did."""

    version: int
    fired: list[RuleOut]
    shadow: list[RuleOut]
    not_evaluable: list[RuleOut]


class ChangeOut(BaseModel):
    """One thing that is other than it was."""

    what: str
    by: Literal["customer", "analyst"]
    before: str
    after: str


class CounterfactualOut(BaseModel):
    """Changes that together give this decision: it was taken again with them."""

    changes: list[ChangeOut]
    outcome: Outcome
    score: float
    reasons: dict[str, str]


class CounterfactualsOut(BaseModel):
    """The smallest change first."""

    found: list[CounterfactualOut]
    tried: int = Field(description="Decisions that were taken again for the search.")
    note: str = Field(description="Why there are none, else empty.")


class ExplainedDecisionOut(BaseModel):
    """As recorded."""

    outcome: Outcome
    score: float
    log_odds: float | None
    path: Path
    flags: list[str]
    reasons: dict[str, str] = Field(description="Sentences by code.")
    thresholds: ThresholdsOut
    model_id: str
    model_hash: str
    policy_version: int
    feature_set: str
    decided_at: str
    suppressed_by: str | None


class AsKnownOut(BaseModel):
    """By what was known at a time, beside what was served."""

    at: str
    more: list[EventOut] = Field(description="The newest that were not served.")
    more_total: int
    fewer_total: int = Field(description="Served, and not known at that time.")
    differing: list[str] = Field(description="Features of other values.")
    outcome: Outcome | None
    score: float | None
    reasons: dict[str, str] | None


class CostOut(BaseModel):
    """What was read of the archive."""

    files: int
    opened: int
    records: int


class ExplanationOut(BaseModel):
    """A payment, explained from the log."""

    transaction_id: str
    status: Literal["decided", "imported", "submitted"]
    position: str
    known_time: str
    transaction: dict[str, Any]
    decision: ExplainedDecisionOut | None = Field(description="Null where there is none.")
    entities: list[EntityOut]
    features: list[ExplainedFeatureOut]
    events_shown: int = Field(description="How many events of a feature are listed at most.")
    rules: RulesOut | None
    counterfactuals: CounterfactualsOut | None
    as_known: AsKnownOut | None
    cost: CostOut
    notes: list[str] = Field(description="What could not be told, and why.")
