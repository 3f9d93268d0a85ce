"""Plots of a model card, from the validated scores.

Drawn without a screen, and the same bytes from the same scores and library.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from domain.events import Thresholds
from inference.evaluation.card.content import labelled
from inference.evaluation.measures import Validated
from inference.frame.frame import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_POINTS = 2000
_FRAUD, _GENUINE, _AT = "#c0392b", "#2c6fbb", {"decline": "-", "step_up": "--", "review": ":"}


def plots(card: dict[str, Any], validated: Validated, at: Thresholds) -> dict[str, bytes]:
    """PNG by file name; empty where there is nothing to rank."""
    labels, scores, weights = labelled(validated)
    if len(np.unique(labels)) < 2:
        return {}
    return {
        "precision_recall.png": _precision_recall(labels, scores, weights, at),
        "calibration.png": _calibration(card),
        "scores.png": _scores(labels, scores, weights, at),
        "gain.png": _gain(validated, at),
    }


def _precision_recall(labels: Floats, scores: Floats, weights: Floats, at: Thresholds) -> bytes:
    order = np.argsort(-scores, kind="stable")
    fraud, every = np.cumsum((weights * labels)[order]), np.cumsum(weights[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # of equal scores
    recall, precision = fraud[last] / fraud[-1], fraud[last] / every[last]
    figure, axes = _axes("Precision and recall", "share of frauds found", "share that is fraud")
    points = _thinned(len(recall), logarithmic=True)
    axes.step(recall[points], precision[points], where="post", color=_FRAUD)
    axes.axhline(fraud[-1] / every[-1], color="grey", linewidth=0.8, label="fraud in all traffic")
    for name, style in _AT.items():
        reached = scores >= getattr(at, name)
        found = (weights * labels)[reached].sum()
        if found:
            x, y = found / fraud[-1], found / weights[reached].sum()
            axes.axvline(x, color="black", linestyle=style, linewidth=0.8, label=_said(name))
            axes.plot([x], [y], "o", color="black", markersize=4)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.legend()
    return _png(figure)


def _calibration(card: dict[str, Any]) -> bytes:
    bands = card["calibration"]["bands"]
    figure, axes = _axes("Calibration", "mean score of the band", "share that was fraud")
    predicted, observed = ([max(b[n], 1e-6) for b in bands] for n in ("predicted", "observed"))
    spread = [
        [max(seen - max(band["low"], 1e-6), 0) for seen, band in zip(observed, bands, strict=True)],
        [max(band["high"] - seen, 0) for seen, band in zip(observed, bands, strict=True)],
    ]
    least = max(min([*predicted, *(o for o in observed if o > 1e-6)]) / 3, 1e-6)
    axes.plot([least, 1], [least, 1], color="grey", linewidth=0.8, label="as predicted")
    axes.errorbar(
        predicted, observed, yerr=spread, fmt="o", color=_GENUINE, capsize=3,
        label="observed, 95 % interval",
    )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(least, 1.2), ylim=(least, 1.2))
    axes.legend()
    return _png(figure)


def _scores(labels: Floats, scores: Floats, weights: Floats, at: Thresholds) -> bytes:
    figure, axes = _axes("Distribution of scores", "score", "share of the kind")
    bins = np.logspace(-5, 0, 51)
    shown = np.clip(scores, bins[0], 1.0)
    for value, colour, said in ((0, _GENUINE, "genuine"), (1, _FRAUD, "fraud")):
        rows = labels == value
        axes.hist(
            shown[rows], bins.tolist(), weights=weights[rows] / weights[rows].sum(), color=colour,
            alpha=0.55, label=said,
        )  # fmt: skip
    _at_thresholds(axes, at)
    axes.set(xscale="log", xlim=(bins[0], 1))
    axes.legend()
    return _png(figure)


def _gain(validated: Validated, at: Thresholds) -> bytes:
    frame, scores = validated.frame, validated.scores
    order = np.argsort(-scores, kind="stable")
    fraud = np.where(frame.labels == 1, frame.stands_for, 0.0)[order]
    traffic = np.cumsum(frame.stands_for[order]) / frame.stands_for.sum()
    found = np.cumsum(fraud) / fraud.sum()
    figure, axes = _axes("Cumulative gain", "share of traffic, from the greatest score on",
                         "share of frauds found")  # fmt: skip
    points = _thinned(len(order), logarithmic=True)
    axes.plot(traffic[points], found[points], color=_FRAUD, label="this model")
    axes.plot(traffic[points], traffic[points], color="grey", linewidth=0.8, label="at random")
    for name, style in _AT.items():
        share = frame.stands_for[scores >= getattr(at, name)].sum() / frame.stands_for.sum()
        if share:
            axes.axvline(share, color="black", linestyle=style, linewidth=0.8, label=_said(name))
    axes.set(xscale="log", xlim=(traffic[0], 1), ylim=(0, 1.02))
    axes.legend()
    return _png(figure)


def _axes(title: str, x: str, y: str) -> tuple[Any, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    return figure, axes


def _at_thresholds(axes: Axes, at: Thresholds) -> None:
    for name, style in _AT.items():
        score = getattr(at, name)
        axes.axvline(score, color="black", linestyle=style, linewidth=0.8, label=_said(name))


def _said(outcome: str) -> str:
    return f"{outcome.replace('_', '-')} from here"


def _thinned(count: int, logarithmic: bool = False) -> np.ndarray:
    """Numbers of at most _MOST_POINTS points, the first and the last among them."""
    if logarithmic:
        spread = np.logspace(0, np.log10(max(count, 2)), _MOST_POINTS) - 1
    else:
        spread = np.linspace(0, count - 1, _MOST_POINTS)
    return np.unique(np.clip(spread.round().astype(int), 0, count - 1))


def _png(figure: Any) -> bytes:
    into = io.BytesIO()
    figure.savefig(into, format="png", metadata={"Software": None})
    return into.getvalue()
