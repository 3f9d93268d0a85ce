"""Platt calibration: logits become probabilities of fraud in ordinary traffic."""

import numpy as np

from inference.frame.frame import Floats

_STEPS = 50
_LEAST_SLOPE = 0.05


def platt(logits: Floats, labels: Floats, weights: Floats) -> tuple[float, float]:
    """(slope, intercept) of sigmoid(slope * logit + intercept), by Newton's method.

    Platt 1999 with his smoothed targets, so that separable data stay finite. The slope is kept
    positive: a calibration never turns the ranking round.
    """
    fraud, genuine = weights[labels == 1].sum(), weights[labels == 0].sum()
    target = np.where(labels == 1, (fraud + 1) / (fraud + 2), 1 / (genuine + 2))
    slope, intercept = 1.0, float(np.log(fraud / genuine) - np.average(logits, weights=weights))
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(slope * logits + intercept, -60, 60)))
        error, curve = weights * (p - target), weights * np.maximum(p * (1 - p), 1e-12)
        gradient = np.array([(error * logits).sum(), error.sum()])
        cross = (curve * logits).sum()
        hessian = np.array([[(curve * logits**2).sum(), cross], [cross, curve.sum()]])
        step = np.linalg.solve(hessian + np.eye(2) * 1e-6, gradient)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        slope, intercept = max(slope - step[0], _LEAST_SLOPE), intercept - step[1]
        if np.abs(step).max() < 1e-9:
            break
    return float(slope), float(intercept)
