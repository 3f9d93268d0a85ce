"""Results of step-ups over HTTP."""

from pydantic import BaseModel, ConfigDict, Field

from domain.events import Envelope, Outcome, StepUpConcluded, StepUpResult
from domain.step_ups import DECIDES
from domain.times import to_rfc3339


class StepUpIn(BaseModel):
    """How the proof ended that a decision of step_up asked for. The first result counts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"result": "passed", "reporter": "3ds-server", "reference": "ares-77"}]
        }
    )

    result: StepUpResult = Field(
        description="passed approves the payment; failed and abandoned decline it."
    )
    reporter: str = Field("api", description="Who says so.")
    reference: str | None = Field(None, description="The reporter's own; it is kept and shown.")
    timestamp: str | None = Field(None, description="When it ended; now unless given.")


class StepUpReceiptOut(BaseModel):
    """`duplicate`: the same result was recorded before."""

    transaction_id: str
    event_id: str
    status: str = Field(description="recorded or duplicate")
    final_outcome: Outcome


class StepUpOut(BaseModel):
    """The result that counts."""

    result: StepUpResult
    final_outcome: Outcome = Field(description="What it makes of the payment.")
    reporter: str
    reference: str | None
    ended_at: str
    known_at: str


def step_up_out(concluded: Envelope | None) -> StepUpOut | None:
    if concluded is None:
        return None
    data: StepUpConcluded = concluded.data
    return StepUpOut(
        result=data.result,
        final_outcome=DECIDES[data.result],
        reporter=data.reporter,
        reference=data.reference,
        ended_at=to_rfc3339(concluded.time),
        known_at=to_rfc3339(concluded.known_time),
    )
