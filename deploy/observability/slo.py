"""Service level objectives as Prometheus rules: ratios over several windows, and burn-rate alerts.

Method: the Site Reliability Workbook, chapter 5: a long window says that much of the budget is
gone, a short one that it still goes.
"""

from dataclasses import dataclass
from typing import Any

# Windows long and short, times the budget's even rate, what is done about it.
BURNS = (
    ("1h", "5m", 14.4, "page", "2m"),
    ("6h", "30m", 6.0, "page", "15m"),
    ("3d", "6h", 1.0, "ticket", "1h"),
)
WINDOWS = ("5m", "30m", "1h", "6h", "3d")


@dataclass(frozen=True, slots=True)
class Objective:
    """`good` and `all` are counters' selectors; `share` of all is to be good, over 30 days."""

    name: str
    alert: str
    share: float
    good: str
    all: str
    summary: str


_SCORE = 'route="/score",method="POST"'
OBJECTIVES = (
    Objective(
        "answered",
        "RetraceAnswersFail",
        0.999,
        f'retrace_http_request_seconds_count{{{_SCORE},status!~"5.."}}',
        f"retrace_http_request_seconds_count{{{_SCORE}}}",
        "requests for a decision are answered with an error of ours",
    ),
    Objective(
        "in_time",
        "RetraceAnswersLate",
        0.99,
        f'retrace_http_request_seconds_bucket{{{_SCORE},status!~"5..",le="0.1"}}',
        f'retrace_http_request_seconds_count{{{_SCORE},status!~"5.."}}',
        "decisions take longer than 100 ms",
    ),
    Objective(
        "in_full",
        "RetraceDecisionsWithoutModel",
        0.99,
        'retrace_decisions_total{path="full"}',
        "retrace_decisions_total",
        "decisions are made by rules alone, for features or the model are missing or late",
    ),
)


def groups() -> list[dict[str, Any]]:
    return [
        {
            "name": f"retrace-slo-{each.name.replace('_', '-')}",
            "rules": [*_ratios(each), *_alerts(each)],
        }
        for each in OBJECTIVES
    ]


def _ratios(of: Objective) -> list[dict[str, Any]]:
    return [
        {
            "record": _record(of, window),
            "expr": f"1 - sum(rate({of.good}[{window}])) / (sum(rate({of.all}[{window}])) > 0)",
        }
        for window in WINDOWS
    ]


def _alerts(of: Objective) -> list[dict[str, Any]]:
    budget = round(1 - of.share, 6)
    return [
        {
            "alert": of.alert,
            "expr": f"{_record(of, long)} > {budget * rate:.6g} and {_record(of, short)} > {budget * rate:.6g}",
            "for": wait,
            "labels": {"severity": severity, "window": long},
            "annotations": {
                "summary": f"{of.summary[0].upper()}{of.summary[1:]}",
                "description": f"{{{{ $value | humanizePercentage }}}} within {long}; the objective "
                f"allows {budget:.3%} within 30 days, and at this rate that is gone in "
                f"{_gone_in(rate)}.",
                "runbook": f"docs/runbooks.md#{of.alert.lower()}",
            },
        }
        for long, short, rate, severity, wait in BURNS
    ]


def _record(of: Objective, window: str) -> str:
    return f"retrace:not_{of.name}:ratio_rate{window}"


def _gone_in(rate: float) -> str:
    days = 30 / rate
    return f"{days:.0f} days" if days >= 3 else f"{days * 24:.0f} hours"
