"""Labels over HTTP."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.events import LabelKind


class LabelIn(BaseModel):
    """A report about a transaction. A later label of it replaces an earlier one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "transaction_id": "12345",
                    "kind": "chargeback",
                    "reporter": "acquirer-7",
                    "reference": "cb-2023-88",
                }
            ]
        }
    )

    transaction_id: str
    kind: LabelKind = "fraud_report"
    value: Literal[0, 1] | None = Field(
        None, description="1 = fraud, 0 = genuine; follows from the kind unless given."
    )
    reporter: str = Field("api", description="Who says so.")
    reference: str | None = Field(
        None,
        description="The reporter's own; an equal one is no news. Without one, a report is news "
        "where the reporter's last of the transaction said otherwise.",
    )
    timestamp: str | None = Field(None, description="When it was reported; now unless given.")


class LabelReceiptOut(BaseModel):
    """`parked`: the transaction is not known yet; the label is kept and retried. `duplicate`: it
    was recorded before, and does not count again."""

    transaction_id: str
    label_id: str
    status: Literal["recorded", "duplicate", "parked"]
