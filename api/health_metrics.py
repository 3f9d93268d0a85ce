"""Model health on /metrics: the newest measurements in the table model_health."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from projections.readmodels.queries.results import MeasuredHealth

LEVELS = ("unknown", "steady", "warn", "alert")
_FIGURES = {
    "psi": ("retrace_model_psi", "Drift of a feature since training (PSI)"),
    "score_psi": ("retrace_model_score_drift", "Drift of scores since training (PSI)"),
    "score_ks": ("retrace_model_score_ks", "Drift of scores since training (Kolmogorov-Smirnov)"),
    "fraud_least": ("retrace_model_fraud_share_least", "Share of fraud, no declined payment being"),
    "fraud_most": ("retrace_model_fraud_share_most", "Share of fraud, all declined payments being"),
    "calibration_ratio": ("retrace_model_calibration_ratio", "Observed over expected frauds"),
    "precision": ("retrace_model_precision", "Share of fraud in what was referred, at most"),
    "precision_expected": ("retrace_model_precision_expected", "The same, by the model's card"),
    "recall": ("retrace_model_recall", "Share of the known frauds that was referred"),
    "recall_expected": ("retrace_model_recall_expected", "The same, by the model's card"),
    "decisions": ("retrace_model_decisions_watched", "Decisions that were compared with training"),
}


class HealthCollector(Collector):
    """Shows the rows that it was last given, all at once."""

    def __init__(self) -> None:
        self.rows: Sequence[MeasuredHealth] = ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        rows = sorted(self.rows, key=lambda row: row.measure)
        for measure, each in groupby(rows, key=lambda row: row.measure):
            if measure == "health":
                yield from _healths(list(each))
            elif measure in _FIGURES:
                yield _figures(measure, list(each))


def _figures(measure: str, rows: list[MeasuredHealth]) -> GaugeMetricFamily:
    names = ["model", "feature"] if measure == "psi" else ["model"]
    gauge = GaugeMetricFamily(*_FIGURES[measure], labels=names)
    for row in rows:
        if row.value is not None:
            gauge.add_metric([row.model_id, row.feature][: len(names)], row.value)
    return gauge


def _healths(rows: list[MeasuredHealth]) -> Iterator[GaugeMetricFamily]:
    health = GaugeMetricFamily(
        "retrace_model_health", "0 unknown, 1 steady, 2 warn, 3 alert", labels=["model"]
    )
    measured = GaugeMetricFamily(
        "retrace_model_health_measured_seconds", "When it was measured (Unix)", labels=["model"]
    )
    for row in rows:
        health.add_metric([row.model_id], LEVELS.index(row.level))
        measured.add_metric([row.model_id], row.measured_time / 1e6)
    yield health
    yield measured
