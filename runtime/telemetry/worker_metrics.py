"""Prometheus metrics of a worker: its batches, its lag, what it waits for, and the process."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from eventlog.batch import Batch
from projections.faust.worker import Worker

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)


class WorkerMetrics:
    """An observer of one worker, whose name every series bears; `show` adds where it stands.

    `also` is told of handled batches beside.
    """

    def __init__(
        self, name: str, also: Callable[[Sequence[Batch], float], None] | None = None
    ) -> None:
        self._name, self._also = name, also
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._records = self._counter("records", "Records handled", ["topic"])
        self._batches = Histogram(
            "retrace_worker_batch_seconds",
            "Time to handle what was fetched together, waits for stores included",
            ["worker", "topic"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        # Without labels of their own they are there from the beginning, as 0.
        self._assignments = self._counter(
            "assignments", "Assignments of partitions completed"
        ).labels(name)
        self._waits = self._counter("waits", "Steps tried again because a server was away").labels(
            name
        )
        self._set_aside = self._counter(
            "dead_lettered", "Records sent to the dead-letter topic"
        ).labels(name)
        self._handled_at = Gauge(
            "retrace_worker_last_batch_timestamp_seconds",
            "When a batch was last handled (Unix)",
            ["worker"],
            registry=self.registry,
        ).labels(name)

    def show(self, worker: Worker) -> None:
        self.registry.register(_Positions(self._name, worker))

    def handled(self, batches: Sequence[Batch], seconds: float) -> None:
        topic = batches[0].topic
        self._records.labels(self._name, topic).inc(sum(len(each.records) for each in batches))
        self._batches.labels(self._name, topic).observe(seconds)
        self._handled_at.set_to_current_time()
        if self._also is not None:
            self._also(batches, seconds)

    def assigned(self) -> None:
        self._assignments.inc()

    def waited(self) -> None:
        self._waits.inc()

    def set_aside(self) -> None:
        self._set_aside.inc()

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"retrace_worker_{name}", text, ["worker", *labels], registry=self.registry)


class _Positions(Collector):
    """Gauges read off the worker; partitions that it has lost are gone from them at once."""

    def __init__(self, name: str, worker: Worker) -> None:
        self._name, self._worker = name, worker

    def collect(self) -> Iterator[GaugeMetricFamily]:
        positions, ends = dict(self._worker.positions), dict(self._worker.ends)
        position = _gauge("position", "Next offset to handle, of each partition it has")
        end = _gauge("log_end", "Offset after the last record of the partition")
        lag = _gauge("lag_records", "Records in the log that are not handled yet")
        for (topic, partition), at in positions.items():
            place = [self._name, topic, str(partition)]
            last = max(at, ends.get((topic, partition), at))
            position.add_metric(place, at)
            end.add_metric(place, last)
            lag.add_metric(place, last - at)
        waiting = GaugeMetricFamily(
            "retrace_worker_unassigned",
            "1 while it has asked for partitions and has none yet",
            labels=["worker"],
        )
        waiting.add_metric([self._name], float(self._worker.unassigned))
        yield from (position, end, lag, waiting)


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        f"retrace_worker_{name}", text, labels=["worker", "topic", "partition"]
    )
