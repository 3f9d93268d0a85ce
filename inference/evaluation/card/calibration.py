"""Calibration table of the model card: predicted and observed fraud by bands of scores."""

from typing import Any

import numpy as np

from inference.frame.frame import Floats

EDGES = (0.0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Of the scores: fraud is rare, so that most of them are near nothing."""
_Z = 1.959964  # of the normal distribution, for 95 %


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
        # As many rows as weigh so unequally are worth (Kish 1965).
        low, high = _wilson(rate, float(weight.sum() ** 2 / (weight**2).sum()))
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


def _wilson(rate: float, rows: float) -> tuple[float, float]:
    """SciPy's takes whole numbers of rows alone; weighted rows are worth a fraction."""
    centre = (rate + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
    spread = _Z * np.sqrt(rate * (1 - rate) / rows + _Z**2 / (4 * rows**2)) / (1 + _Z**2 / rows)
    return float(max(centre - spread, 0.0)), float(min(centre + spread, 1.0))
