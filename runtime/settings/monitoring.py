"""Settings of how models are measured (limits: inference/monitoring), and of replays."""

from typing import Any, Literal

from pydantic import Field, model_validator

from domain.errors import RetraceError
from domain.times import DAY
from inference.monitoring.limits import Limits
from runtime.settings.slices import Slice


class ReplaySettings(Slice):
    replay_hours: float = Field(default=6.0, alias="RETRACE_REPLAY_HOURS", ge=0)
    """How often a sample of past decisions is decided again from the log; 0 for never."""
    replay_sample: int = Field(default=200, alias="RETRACE_REPLAY_SAMPLE", ge=1)
    """About so many decisions each time: half of the newest day, half of an earlier one."""
    replay_minutes: float = Field(default=60.0, alias="RETRACE_REPLAY_MINUTES", gt=0)
    """What that may take, at the lowest priority."""
    replay_memory_mb: int = Field(default=1024, alias="RETRACE_REPLAY_MEMORY_MB", ge=1)
    """What it may hold: the events of the days that features look back."""


class BacktestSettings(Slice):
    backtest_memory_mb: int = Field(default=1024, alias="RETRACE_BACKTEST_MEMORY_MB", ge=16)
    """What a backtest of policies holds of the log at once, all its processes together."""
    backtest_workers: int = Field(default=0, alias="RETRACE_BACKTEST_WORKERS", ge=0)
    """Processes that lay down its features; 0 for one for each core."""
    dask_scheduler: str = Field(default="", alias="RETRACE_DASK_SCHEDULER")
    """Of `--engine dask`, tcp://HOST:PORT; without it Dask has workers of this machine alone."""


class HealthSettings(Slice):
    health_minutes: float = Field(default=15.0, alias="RETRACE_HEALTH_MINUTES", ge=0)
    """How often the health of the model in force is measured; 0 for never."""
    model_rollback: bool = Field(default=False, alias="RETRACE_MODEL_ROLLBACK")
    """Puts a model that labels show to be bad out of force, once: the one before decides again."""
    health_days: float = Field(default=7.0, alias="RETRACE_HEALTH_DAYS", gt=0)
    """Days of decisions that are compared with training; whole weeks are best."""
    health_label_days: Literal[7, 30, 60, 90] = Field(default=30, alias="RETRACE_HEALTH_LABEL_DAYS")
    """Age at which labels are judged: 7, 30, 60 or 90 days after the decision."""
    health_least: int = Field(default=500, alias="RETRACE_HEALTH_LEAST", ge=1)
    """Decisions below which nothing is said of drift."""
    health_coverage: float = Field(default=0.85, alias="RETRACE_HEALTH_COVERAGE", ge=0, le=1)
    """Share of those days that decisions must reach over: rhythms are weekly."""
    psi_warn: float = Field(default=0.1, alias="RETRACE_PSI_WARN")
    """PSI that is worth a look."""
    psi_alert: float = Field(default=0.25, alias="RETRACE_PSI_ALERT")
    """PSI that raises an alert."""
    ratio_warn: float = Field(default=1.5, alias="RETRACE_FRAUD_RATIO_WARN")
    """Observed over expected frauds, or the inverse, that is worth a look."""
    ratio_alert: float = Field(default=2.0, alias="RETRACE_FRAUD_RATIO_ALERT")
    """Observed over expected frauds, or the inverse, that raises an alert."""

    @property
    def limits(self) -> Limits:
        return Limits(
            psi_warn=self.psi_warn,
            psi_alert=self.psi_alert,
            ratio_warn=self.ratio_warn,
            ratio_alert=self.ratio_alert,
            least=self.health_least,
            coverage=self.health_coverage,
        )

    @property
    def health_window(self) -> int:
        """Microseconds."""
        return int(self.health_days * DAY)

    @model_validator(mode="after")
    def _in_order(self) -> Any:
        try:
            _ = self.limits
        except RetraceError as error:
            raise ValueError(f"limits of health: {error}") from error
        return self
