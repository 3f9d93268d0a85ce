"""A decision over HTTP."""

from collections.abc import Iterable, Mapping

import orjson
from pydantic import BaseModel, Field

from api.schemas.step_ups import StepUpOut, step_up_out
from domain.events import Envelope, Outcome, Path, TransactionScored
from domain.features import CATALOGUE
from domain.times import to_rfc3339
from domain.wording import sentences, told


class ReasonOut(BaseModel):
    code: str
    text: str


class ThresholdsOut(BaseModel):
    review: float
    step_up: float
    decline: float


class ExplorationOut(BaseModel):
    """What would have been declined, and came under the exploration of the policy."""

    share: int = Field(description="The chance that it is let pass, in hundredths of a percent.")
    explored: bool = Field(description="Whether it was let pass.")


class DecisionOut(BaseModel):
    """The one decision of a transaction id."""

    transaction_id: str
    score: float = Field(ge=0, le=1)
    outcome: Outcome
    reasons: list[ReasonOut]
    path: Path = Field(description="full, or why the model did not decide: fallback, deadline.")
    flags: list[str] = Field(description="What was missing: no_card, stale_features …")
    model_id: str
    policy_version: int = Field(description="Offset of the last policy record taken into account.")
    thresholds: ThresholdsOut
    decided_at: str = Field(description="Known time of the decision, RFC 3339.")


class DecisionDetailOut(DecisionOut):
    """All that the decision depended on, and how the step-up that it asked for ended."""

    model_hash: str
    feature_set: str
    features: dict[str, float | None] = Field(description="The vector as served.")
    versions: dict[str, str] = Field(description="Version map of every state read, by entity.")
    fingerprint: str
    timings_us: dict[str, int]
    step_up: StepUpOut | None = None
    final_outcome: Outcome = Field(description="`outcome`, or what the step-up has made of it.")
    suppressed_by: str | None = Field(description="The suppression that silences its alert.")
    exploration: ExplorationOut | None = Field(description="None where it could not be explored.")


def reasons_out(codes: Iterable[str], own: Mapping[str, str] | None) -> list[ReasonOut]:
    """`own` are sentences of published rules."""
    return [ReasonOut(code=code, text=text) for code, text in sentences(codes, own).items()]


def decision_json(envelope: Envelope) -> bytes:
    """What `decision_out` gives, as JSON."""
    return orjson.dumps(_common(envelope))


def decision_out(envelope: Envelope) -> DecisionOut:
    return DecisionOut.model_validate(_common(envelope))


def decision_detail(envelope: Envelope, concluded: Envelope | None) -> DecisionDetailOut:
    """`concluded` is the result of its step-up that counts."""
    data: TransactionScored = envelope.data
    step_up, arm = step_up_out(concluded), data.exploration
    return DecisionDetailOut.model_validate(
        _common(envelope)
        | {
            "model_hash": data.model_hash,
            "feature_set": data.feature_set,
            "features": _named(data),
            "versions": data.versions,
            "fingerprint": data.fingerprint,
            "timings_us": data.timings_us,
            "step_up": step_up,
            "final_outcome": step_up.final_outcome if step_up else data.outcome,
            "suppressed_by": data.suppressed_by,
            "exploration": arm and {"share": arm.share, "explored": arm.explored},
        }
    )


def _common(envelope: Envelope) -> dict[str, object]:
    data: TransactionScored = envelope.data
    return {
        "transaction_id": envelope.subject,
        "score": data.score,
        "outcome": data.outcome,
        "reasons": [{"code": code, "text": text} for code, text in told(data).items()],
        "path": data.path,
        "flags": data.flags,
        "model_id": data.model_id,
        "policy_version": data.policy_version,
        "thresholds": {
            "review": data.thresholds.review,
            "step_up": data.thresholds.step_up,
            "decline": data.thresholds.decline,
        },
        "decided_at": to_rfc3339(envelope.known_time),
    }


def _named(data: TransactionScored) -> dict[str, float | None]:
    # The vector of another catalogue has other names: it is shown by position.
    if data.feature_set == CATALOGUE.hash:
        names = list(CATALOGUE.names)
    else:
        names = [f"feature_{i}" for i in range(len(data.features))]
    return dict(zip(names, data.features, strict=True))
