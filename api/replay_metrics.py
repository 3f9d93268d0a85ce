"""The scheduled replay on /metrics: the newest turn that was proven, in the table replay_checks."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from projections.readmodels.queries.results import ReplayCheck

COMPARED = "retrace_replay_decisions_compared"
DIFFERENT = "retrace_replay_decisions_different"
PROVEN = "retrace_replay_proven_seconds"


class ReplayCollector(Collector):
    """Shows the turn that it was last given, and nothing before the first one."""

    def __init__(self) -> None:
        self.newest: ReplayCheck | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = self.newest
        if found is None:
            return
        for name, text, value in (
            (COMPARED, "Past decisions that were decided again by the last turn", found.compared),
            (DIFFERENT, "Of these, those that do not follow from the log", found.different),
            (PROVEN, "When a turn was last proven (Unix)", found.proven_time / 1e6),
        ):
            yield GaugeMetricFamily(name, text, value=float(value))
