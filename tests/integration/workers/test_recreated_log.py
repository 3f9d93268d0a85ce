"""A log that is created anew under a running worker, and one that meets it at its start."""

from collections.abc import Callable
from pathlib import Path

from eventlog.adapters.kafka import KafkaEventLog
from eventlog.adapters.kafka_admin import ensure_topics
from eventlog.settings import KafkaSettings
from projections.online.adapters.feast_states import FeastStateStore
from tests.builders.workers.history import lay_down, until
from tests.builders.workers.process import WorkerProcess
from tests.fixtures.kafka import deleted


def test_a_worker_ends_and_does_not_begin_again(
    start: Callable[[str], WorkerProcess],
    kafka: KafkaSettings,
    log: KafkaEventLog,
    states: FeastStateStore,
    tmp_path: Path,
) -> None:
    lay_down(log, range(50))
    worker = start("features")
    until(lambda: states.markers().at != {}, what="markers")
    deleted(kafka)
    ensure_topics(kafka)
    assert worker.wait(60) != 0
    assert "features: ends: " in worker.log.read_text()
    held = states.markers()
    worker.log.write_text("")
    worker.start()
    assert worker.wait(60) != 0
    (line,) = [each for each in worker.log.read_text().splitlines() if " does not begin: " in each]
    assert f"the memory of ids in {tmp_path}/ledger was made from another log" in line
    assert line.endswith("remove that folder, and it is made anew from this one")
    assert states.markers() == held
