"""A decision of the past: its record, and the submission that it answered."""

from dataclasses import dataclass

from domain.events import TransactionScored, TransactionSubmitted


@dataclass(frozen=True, slots=True)
class Decided:
    """Its place in the log and what it recorded; `submission` is None where the log has none."""

    partition: int
    offset: int
    data: TransactionScored
    submission: TransactionSubmitted | None

    @property
    def position(self) -> str:
        return f"{self.partition}/{self.offset}"
