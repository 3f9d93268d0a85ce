"""Replies of the receivers of alerts over HTTP."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from commands.alerts.reply_formats import ReplyAction


class WebhookIn(BaseModel):
    """As the receiver of the route sends it; here as Standard Webhooks say it."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {"type": "alert.acknowledged", "data": {"case_id": "case-1", "by": "mara"}}
            ]
        },
    )

    type: str | None = Field(None, description="alert.acknowledged, .resolved, .reopened, .noted")
    data: dict[str, Any] | None = Field(
        None, description="`key` of the message, `alert_id` or `case_id`; `by`, `note`."
    )


class ReplyOut(BaseModel):
    """What became of one reply about one case."""

    case_id: str | None = None
    action: ReplyAction
    status: str = Field(
        description="recorded; duplicate: done before; requested: it takes two people; refused: it "
        "does not go with the state of the case; unknown: no alert went out under that key, or "
        "none that has a case."
    )
    detail: str = ""


class WebhookOut(BaseModel):
    """Empty where the sender only told something."""

    results: list[ReplyOut]
