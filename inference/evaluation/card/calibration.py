"""Calibration table of the model card: predicted and observed fraud by bands of scores."""

from typing import Any

import numpy as np

from inference.frame.frame import Floats
from inference.proportions import kish, wilson

EDGES = (0.0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Of the scores: fraud is rare, so that most of them are near nothing."""


def calibration_table(labels: Floats, scores: Floats, weights: Floats) -> list[dict[str, Any]]:
    """Per band of scores what was predicted and what came, with its 95 % interval.

    The interval is Wilson's (1927), from the rows themselves; the rate is weighted to traffic.
    Bands that hold nothing are left out.
    """
    band = np.clip(np.searchsorted(EDGES, scores, side="right") - 1, 0, len(EDGES) - 2)
    table = []
    for number in range(len(EDGES) - 1):
        rows = band == number
        if not rows.any():
            continue
        weight = weights[rows]
        rate = float(np.average(labels[rows], weights=weight))
        low, high = wilson(rate, kish(weight))
        table.append(
            {
                "from": EDGES[number],
                "to": EDGES[number + 1],
                "rows": int(rows.sum()),
                "frauds": int(labels[rows].sum()),
                "predicted": float(np.average(scores[rows], weights=weight)),
                "observed": rate,
                "low": low,
                "high": high,
                "share_of_traffic": float(weight.sum() / weights.sum()),
            }
        )
    return table


def calibration_error(table: list[dict[str, Any]]) -> float:
    """Mean distance of predicted and observed, by share of traffic: ECE (Naeini et al. 2015)."""
    return float(sum(b["share_of_traffic"] * abs(b["predicted"] - b["observed"]) for b in table))
