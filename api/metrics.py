"""Prometheus metrics of this process, as /metrics shows them."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from api.health_metrics import HealthCollector
from api.replay_metrics import ReplayCollector
from domain.events import TransactionScored
from eventlog.ledger.ledger import Ledger
from eventlog.ownership.ownership import Ownership
from projections.readmodels.queries.results import FeatureSkew

_SECONDS = (0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Saturation(Protocol):
    """How much of what a process can decide at a time is in use."""

    at_once: int
    running: int
    waiting: int


class Metrics:
    """One registry for each app, so that two apps in one process have metrics of their own."""

    def __init__(
        self, ledger: Ledger, ownership: Ownership, gate: Saturation | None = None
    ) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.money = Counter(
            "retrace_decided_money_minor",
            "Money of the decisions answered, in minor units of the base currency",
            ["outcome"],
            registry=self.registry,
        )
        self.flags = Counter(
            "retrace_decision_flags",
            "Decisions answered with a flag of theirs",
            ["flag"],
            registry=self.registry,
        )
        if gate is not None:
            _show_gate(gate, self.registry)
        self.decisions = Counter(
            "retrace_decisions",
            "Decisions answered, by outcome and path",
            ["outcome", "path"],
            registry=self.registry,
        )
        self.step = Histogram(
            "retrace_decision_step_seconds",
            "Time per step of a decision",
            ["step"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.requests = Histogram(
            "retrace_http_request_seconds",
            "Time per request, by route and status",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.health = HealthCollector()
        self.registry.register(self.health)
        self.replay = ReplayCollector()
        self.registry.register(self.replay)
        void = Gauge("retrace_void_records", "Records skipped as void", registry=self.registry)
        void.set_function(lambda: ledger.void)
        served = Gauge(
            "retrace_partitions_served",
            "Partitions of transactions that this process answers for",
            registry=self.registry,
        )
        served.set_function(lambda: len(ownership.serving()))
        read = Gauge(
            "retrace_ledger_position",
            "Offset after the last record read, by partition; it moves where the process follows",
            ["partition"],
            registry=self.registry,
        )
        for partition in range(len(ledger.ends())):
            read.labels(str(partition)).set_function(partial(_end_of, ledger, partition))

        self.open_cases = Gauge(
            "retrace_cases_open", "Cases not done, by priority", ["priority"],
            registry=self.registry,
        )  # fmt: skip
        self.overdue_cases = Gauge(
            "retrace_cases_overdue", "Of these, past the time they were due by", ["priority"],
            registry=self.registry,
        )  # fmt: skip
        labels = ["feature", "lag"]
        self.compared = Gauge(
            "retrace_feature_values_compared",
            "Served feature values that were compared with ideal ones",
            labels,
            registry=self.registry,
        )
        self.different = Gauge(
            "retrace_feature_values_different",
            "Served feature values that differed from ideal ones",
            labels,
            registry=self.registry,
        )

    def cases(self, waiting: Mapping[int, tuple[int, int]]) -> None:
        """By priority: cases that are not done, and those of them that are overdue."""
        for priority, (count, overdue) in waiting.items():
            self.open_cases.labels(str(priority)).set(count)
            self.overdue_cases.labels(str(priority)).set(overdue)

    def skew(self, found: Iterable[FeatureSkew]) -> None:
        """Takes up the whole account; sets of features before the live one count with it."""
        compared: dict[tuple[str, str], int] = {}
        different: dict[tuple[str, str], int] = {}
        for each in found:
            key = (each.feature, each.lag)
            compared[key] = compared.get(key, 0) + each.compared
            different[key] = different.get(key, 0) + each.different
        for key, number in compared.items():
            self.compared.labels(*key).set(number)
            self.different.labels(*key).set(different[key])

    def decided(self, data: TransactionScored) -> None:
        self.decisions.labels(data.outcome, data.path).inc()
        self.money.labels(data.outcome).inc(data.transaction.base_amount)
        for flag in data.flags:
            self.flags.labels(flag).inc()
        for step, micros in data.timings_us.items():
            self.step.labels(step).observe(micros / 1e6)

    def render(self) -> bytes:
        return generate_latest(self.registry)


def _show_gate(gate: Saturation, registry: CollectorRegistry) -> None:
    waiting = Gauge(
        "retrace_scores_waiting", "Requests that wait for their turn", registry=registry
    )
    waiting.set_function(lambda: gate.waiting)
    running = Gauge("retrace_scores_running", "Decisions being made now", registry=registry)
    running.set_function(lambda: gate.running)
    most = Gauge(
        "retrace_scores_at_once", "Decisions that may be made at a time", registry=registry
    )
    most.set(gate.at_once)


def _end_of(ledger: Ledger, partition: int) -> float:
    return ledger.ends()[partition]
