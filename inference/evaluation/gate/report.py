"""Report of the gate: its checks, each with a sentence and the figures behind it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from inference.evaluation.gate.comparison import Compared


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What is refused. `margin`: so much worse than the model in force, or than a single feature,
    in average precision, or in cost as a share of what fraud would cost; `fall`: so far below the
    average precision that the model in force had at its training, and half as far in AUC; `alone`
    and `plausible`: more average precision of one feature, and of the model. Each only where the
    whole 95 % interval lies beyond it. `spread`: less standard deviation of scores in log odds.
    Models are compared where there are `least` frauds and as many genuine payments."""

    margin: float = 0.02
    fall: float = 0.1
    spread: float = 0.1
    alone: float = 0.95
    plausible: float = 0.98
    least: int = 20


@dataclass(frozen=True, slots=True)
class Check:
    """`worse` is by how much the model is worse, `allowed` by how much it may be; of what is too
    good, how good it is and may be."""

    name: str
    passed: bool
    says: str
    worse: float = 0.0
    allowed: float = 0.0
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateReport:
    """`measures` are by maturity of labels; `since` and `until` the event times of the payments
    that were looked at, in microseconds UTC."""

    checks: tuple[Check, ...]
    since: int
    until: int
    measures: Mapping[str, Compared] = field(default_factory=dict)

    @property
    def refused(self) -> list[Check]:
        return [check for check in self.checks if not check.passed]

    @property
    def passed(self) -> bool:
        return not self.refused

    @property
    def reason(self) -> str:
        """Why it is refused, in one line; empty where it is not."""
        if self.passed:
            return ""
        first, *others = self.refused
        more = f"; refused too by: {', '.join(each.name for each in others)}" if others else ""
        return f"{first.name}: {first.says}{more}"

    def facts(self) -> dict[str, Any]:
        """As JSON types."""
        checks = [
            {"name": each.name, "passed": each.passed, "says": each.says} for each in self.checks
        ]
        measures = {name: asdict(each) for name, each in self.measures.items()}
        return {"passed": self.passed, "checks": checks, "measures": measures}
