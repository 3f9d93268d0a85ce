"""/metrics shows the newest measurement of each model, and none of removed models."""

from prometheus_client import CollectorRegistry, generate_latest

from api.health_metrics import HealthCollector
from projections.readmodels.queries.results import MeasuredHealth


def row(measure: str, value: float | None, feature: str = "", model: str = "m-1") -> MeasuredHealth:
    return MeasuredHealth(
        model_hash="h", measure=measure, feature=feature, model_id=model, value=value,
        level="alert", measured_time=5_000_000,
    )  # fmt: skip


def test_every_metric_has_its_labels() -> None:
    registry, health = CollectorRegistry(), HealthCollector()
    registry.register(health)
    assert generate_latest(registry) == b""
    health.rows = [
        row("health", None),
        row("psi", 0.3, "amount"),
        row("psi", 0.1, "card_count_1h"),
        row("calibration_ratio", 2.5),
        row("score_psi", None),
    ]
    text = generate_latest(registry).decode()
    assert 'retrace_model_psi{feature="amount",model="m-1"} 0.3' in text
    assert 'retrace_model_psi{feature="card_count_1h",model="m-1"} 0.1' in text
    assert 'retrace_model_calibration_ratio{model="m-1"} 2.5' in text
    assert 'retrace_model_health{model="m-1"} 3.0' in text
    assert 'retrace_model_health_measured_seconds{model="m-1"} 5.0' in text
    assert "retrace_model_score_drift{" not in text
    health.rows = [row("health", None, model="m-2")]
    assert 'model="m-1"' not in generate_latest(registry).decode()
