"""Step-ups: what the result of one makes of its payment."""

from collections.abc import Mapping

from domain.events import Outcome, StepUpResult

DECIDES: Mapping[StepUpResult, Outcome] = {
    "passed": "approve",
    "failed": "decline",
    "abandoned": "decline",
}


def final_outcome(decided: str, result: StepUpResult | None) -> str:
    """Of a payment: what its decision said, until the step-up that it asked for has a result."""
    return decided if result is None else DECIDES[result]
