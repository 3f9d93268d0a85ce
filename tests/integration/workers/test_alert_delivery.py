"""Alerts by a route, with the worker and the receiver killed at random times."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from time import sleep

import pytest

from commands.policy.routes import publish_routes
from domain.alerts import alert_of
from domain.events import AlertDelivered, Route
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.codec import decode
from eventlog.topics import ALERTS
from host.clock import now_us
from host.ports import free_ports
from runtime.settings import Settings
from tests.builders.alerts.contracts import PAGERDUTY_KEY
from tests.builders.alerts.process import ReceiverProcess
from tests.builders.workers.history import until
from tests.builders.workers.process import WorkerProcess
from tests.fakes.events import scored

CHANCE = random.Random(3)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[ReceiverProcess]:
    made = ReceiverProcess(free_ports(1)[0], tmp_path / "taken.ndjson")
    made.start()
    yield made
    made.kill()


def raise_alerts(log: KafkaEventLog, numbers: range) -> set[str]:
    ids = set()
    for number in numbers:
        alert = alert_of(scored(f"t-{number}", outcome="decline"), "tests", now_us())
        assert alert is not None
        log.append_nowait(ALERTS, alert.subject, alert)
        ids.add(alert.id)
    log.flush()
    return ids


def delivered(log: KafkaEventLog) -> set[str]:
    facts = (decode(each.value).data for each in log.read(ALERTS))
    return {each.alert_id for each in facts if isinstance(each, AlertDelivered)}


def test_every_alert_arrives_and_is_one_incident_whoever_is_killed(
    start: Callable[..., WorkerProcess],
    applied: Settings,
    log: KafkaEventLog,
    receiver: ReceiverProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RETRACE_SECRET_PAGER", PAGERDUTY_KEY)
    route = Route(name="pager", to="pagerduty", url=receiver.url, secret="PAGER", at_most=1000)
    assert publish_routes(log, [route], "test", now_us())
    worker = start("decisions")
    raised = raise_alerts(log, range(20))
    until(lambda: len(delivered(log)) > 0, what="a first delivery")
    for turn in (1, 2):
        raised |= raise_alerts(log, range(100 * turn, 100 * turn + 40))
        sleep(CHANCE.uniform(0.0, 2.5))
        receiver.kill()
        sleep(CHANCE.uniform(0.0, 0.5))
        worker.kill()
        if turn == 2:
            # As on another host, whose disk knows nothing of it.
            rmtree(applied.state_dir / "ledger")
        worker.start()
        receiver.start()
    until(lambda: delivered(log) == raised, what="all deliveries")
    assert worker.stop() == 0
    taken = [json.loads(line) for line in receiver.journal.read_text().splitlines()]
    # PagerDuty makes one incident of all events with one key.
    assert {each["key"] for each in taken} == raised
    told = {each["key"]: each["body"]["payload"]["custom_details"]["alert"] for each in taken}
    assert set(told.values()) == raised
