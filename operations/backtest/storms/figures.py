"""Figures of played alerts: how many pages each route sends, how late, and when most of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.times import DAY, HOUR, MINUTE, SECOND, to_rfc3339
from operations.backtest.storms.playing import Played, Told

Ints = NDArray[np.int64]
_SPANS = {"minute": MINUTE, "hour": HOUR, "day": DAY}


def figures_of(told: Sequence[Told], played: Sequence[Played]) -> dict[str, Any]:
    """All plain values: `busiest` of alerts, and by route messages, digests and seconds waited."""
    raised = np.array([each.alert.known_time for each in told], dtype=np.int64)
    return {
        "alerts": len(told),
        "busiest": busiest(raised),
        "routes": [_of_route(each, raised) for each in played],
    }


def busiest(times: Ints) -> dict[str, Any]:
    """The minute, hour and day (UTC) with most of these times; None where there are none."""
    return {name: _most(times, span) for name, span in _SPANS.items()}


def _most(times: Ints, span: int) -> dict[str, Any] | None:
    if not len(times):
        return None
    begins, counts = np.unique(times // span, return_counts=True)
    most = int(np.argmax(counts))
    return {"begins": to_rfc3339(int(begins[most]) * span), "number": int(counts[most])}


def _of_route(played: Played, raised: Ints) -> dict[str, Any]:
    sent = played.sent
    numbers = np.array([each.number for each in sent], dtype=np.int64)
    seconds = np.array([each.at for each in sent])
    digests = np.array([each.digest for each in sent], dtype=bool)
    at = played.began + np.round(seconds * SECOND).astype(np.int64)
    firsts = np.array([each.first for each in sent], dtype=np.int64)
    # Dropped ones lie between messages: those of a message are counted from its first.
    within = np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    of_alerts = np.array(played.taken, dtype=np.int64)[np.repeat(firsts, numbers) + within]
    waited = (np.repeat(at, numbers) - raised[of_alerts]) / SECOND
    return {
        "route": played.route.name,
        "to": played.route.to,
        "at_most": played.route.at_most,
        "alerts": len(played.taken),
        "dropped": len(played.taken) - int(numbers.sum()),
        "messages": len(sent),
        "digests": int(digests.sum()),
        "in_digests": int(numbers[digests].sum()),
        "largest_digest": int(numbers[digests].max(initial=0)),
        "waited_seconds": _waited(waited),
        "busiest": busiest(at),
    }


def _waited(seconds: NDArray[np.float64]) -> dict[str, float] | None:
    """From the raising of an alert to the beginning of its message."""
    if not len(seconds):
        return None
    found = np.quantile(seconds, [0.5, 0.99], method="higher").tolist()
    return {
        "median": round(found[0], 3),
        "p99": round(found[1], 3),
        "longest": round(float(seconds.max()), 3),
    }
