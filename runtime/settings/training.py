"""Settings of what decisions cost, the traffic that thresholds may take, and the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from runtime.settings.slices import Slice

if TYPE_CHECKING:
    from inference.evaluation.gate.report import GateLimits
    from inference.evaluation.measures import MeasureSettings
    from inference.training.thresholds import Budget

_MINOR = 100  # of the base currency


class TrainingSettings(Slice):
    budget_decline: float = Field(default=0.005, alias="RETRACE_BUDGET_DECLINE", ge=0, le=1)
    """Share of traffic that a new model's thresholds may decline."""
    budget_step_up: float = Field(default=0.001, alias="RETRACE_BUDGET_STEP_UP", ge=0, le=1)
    """Share of traffic that they may step up."""
    budget_review: float = Field(default=0.014, alias="RETRACE_BUDGET_REVIEW", ge=0, le=1)
    """Share of traffic that they may send to review."""
    cost_review: float = Field(default=2.0, alias="RETRACE_COST_REVIEW", ge=0)
    """What a review costs, in the base currency (USD)."""
    cost_step_up: float = Field(default=0.0, alias="RETRACE_COST_STEP_UP", ge=0)
    """What a step-up costs, in the base currency."""
    cost_declined_genuine: float = Field(default=0.05, alias="RETRACE_COST_DECLINED_GENUINE", ge=0)
    """Share of the amount that declining a genuine payment costs."""
    cost_missed_fraud: float = Field(default=1.0, alias="RETRACE_COST_MISSED_FRAUD", ge=0)
    """Share of the amount that a missed fraud costs."""

    gate_margin: float = Field(default=0.02, alias="RETRACE_GATE_MARGIN", ge=0, le=1)
    """How much worse a new model may be than the one in force, beyond noise."""
    gate_fall: float = Field(default=0.1, alias="RETRACE_GATE_FALL", ge=0, le=1)
    """How far its average precision may lie below what the one in force had at training."""

    @property
    def budget(self) -> Budget:
        from inference.training.thresholds import Budget

        return Budget(self.budget_decline, self.budget_step_up, self.budget_review)

    @property
    def measures(self) -> MeasureSettings:
        from inference.evaluation.costs import Costs
        from inference.evaluation.measures import MeasureSettings

        review, step_up = (round(c * _MINOR) for c in (self.cost_review, self.cost_step_up))
        costs = Costs(review, step_up, self.cost_declined_genuine, self.cost_missed_fraud)
        return MeasureSettings(costs=costs)

    @property
    def gate_limits(self) -> GateLimits:
        from inference.evaluation.gate.report import GateLimits

        return GateLimits(margin=self.gate_margin, fall=self.gate_fall)

    @model_validator(mode="after")
    def _within_all_traffic(self) -> Any:
        if self.budget_decline + self.budget_step_up + self.budget_review > 1:
            raise ValueError("RETRACE_BUDGET_*: more than all traffic together")
        return self
