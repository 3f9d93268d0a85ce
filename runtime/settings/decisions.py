"""Settings of submissions and decisions, and of what takes two people."""

from pydantic import Field

from domain.cases import FourEyes
from domain.cleaning.absent import PLACEHOLDERS
from runtime.settings.slices import Slice


class DecisionSettings(Slice):
    default_currency: str = Field(
        default="USD", alias="RETRACE_DEFAULT_CURRENCY", pattern="^[A-Z]{3}$"
    )
    """ISO 4217 currency of a submission that names none."""
    placeholder_ids: str = Field(default=", ".join(PLACEHOLDERS), alias="RETRACE_PLACEHOLDER_IDS")
    """Ids that stand for nobody, of cards, customers, merchants, devices: left out, flagged."""
    inbox_unwrap: bool = Field(default=False, alias="RETRACE_INBOX_UNWRAP")
    """Inbox records within a schema-registry prefix or a change-data envelope are taken."""
    feature_deadline: float = Field(default=0.25, alias="RETRACE_FEATURE_DEADLINE", gt=0)
    """Seconds for features and a model server; past it the fallback rules decide."""
    scores_at_once: int = Field(default=32, alias="RETRACE_SCORES_AT_ONCE", gt=0)
    """Decisions that one API process makes at a time; requests beyond wait for their turn."""
    scores_waiting: int = Field(default=1_000, alias="RETRACE_SCORES_WAITING", ge=0)
    """Requests that may wait for their turn; those beyond are told 503 with Retry-After."""
    scores_wait: float = Field(default=0.5, alias="RETRACE_SCORES_WAIT", gt=0)
    """Seconds that a request waits for its turn; past it it is told 503 with Retry-After."""


class CaseSettings(Slice):
    two_to_close: bool = Field(default=False, alias="RETRACE_TWO_TO_CLOSE")
    """Closing a case without a verdict takes two people: one asks, another approves."""
    two_for_genuine: int = Field(default=0, alias="RETRACE_TWO_FOR_GENUINE", ge=0)
    """So does calling payments genuine of so much together, in minor base units; 0: never."""
    two_for_labels: int = Field(default=0, alias="RETRACE_TWO_FOR_LABELS", ge=0)
    """So does a verdict that labels so many payments or more at once; 0: never."""

    overdue_minutes: float = Field(default=1.0, alias="RETRACE_OVERDUE_MINUTES", ge=0)
    """How often cases are looked at that nobody dealt with in time; 0 for never."""

    @property
    def four_eyes(self) -> FourEyes:
        return FourEyes(
            self.two_to_close, self.two_for_genuine or None, self.two_for_labels or None
        )
