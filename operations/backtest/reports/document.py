"""Document of a backtest: all that a report says, as plain values, and its bytes."""

from __future__ import annotations

import json
from typing import Any

from operations.backtest.policies.run import PolicyBacktest
from operations.backtest.reports.curves import curves_of

Document = dict[str, Any]


def document(made: PolicyBacktest, backtest_id: str) -> Document:
    """The figures with their curves. No clock and no machine: a repetition gives the same."""
    curves = curves_of(made.past, [made.baseline, *made.candidates])
    return {"backtest": backtest_id, **made.report, "curves": curves}


def report_bytes(found: Document) -> bytes:
    """JSON; equal documents give equal bytes."""
    return (json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
