"""Model alerts: a feature that drifts gives figures for /metrics and one alert a day."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine

from commands.models.registry import registry_of
from commands.policy.topic import current_policy, facts
from domain.events import (
    Envelope,
    ModelAlertDelivered,
    ModelAlertRaised,
    ModelPromoted,
    ModelRolledOut,
    ModelTrained,
    Thresholds,
)
from domain.features import CATALOGUE
from domain.model_alerts import model_alert, model_alert_id
from domain.policy.snapshot import PolicySnapshot
from domain.times import DAY, HOUR, MINUTE
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS, POLICY
from inference.artefacts.store import FOREST, GRAPH, MANIFEST, ArtefactStore
from inference.monitoring.limits import Limits
from operations.models.lifecycle import Models
from operations.monitoring.automatic_rollback import AutomaticRollback
from operations.monitoring.health import HealthPorts, HealthQuery
from operations.monitoring.health_monitor import HealthMonitor
from projections.readmodels.adapters.postgres import alerts_projection
from projections.readmodels.queries.read_models import ReadModels, forget
from tests.builders.monitored_models import (
    THRESHOLDS,
    decided,
    frauds,
    monitored_model,
    project,
    traffic,
)
from tests.builders.read_model_facts import NOON, CheckedLog, envelope, project_all
from tests.builders.table_contents import dump

LATER = NOON + 2 * DAY


def raised(day: int = 0, known: int = NOON) -> Envelope:
    data = ModelAlertRaised(
        alert_id=model_alert_id("h", "scores", NOON + day * DAY), model_id="m1", model_hash="h",
        measure="scores", value=0.4, limit=0.25, summary="scores drifted", features=[],
        since=NOON - 7 * DAY, until=NOON,
    )  # fmt: skip
    return model_alert(data, "tests", known)


def delivered(alert: Envelope, known: int = NOON + MINUTE) -> Envelope:
    data = ModelAlertDelivered(
        alert_id=alert.data.alert_id, model_id="m1", receiver="hook", attempts=2
    )
    return envelope(data, f"{alert.id}/delivered/{known}", known, known, "m1")


def test_the_first_raising_and_the_first_delivery_of_a_day_count(engine: Engine) -> None:
    log = CheckedLog(ALERTS.name, partitions=1)
    again = replace(delivered(raised(), NOON + HOUR), id=delivered(raised()).id)
    log.append(raised(), raised(0, NOON + HOUR), delivered(raised()), again, raised(1, NOON + DAY))
    project_all(alerts_projection(engine), log, 1)
    newest, first = ReadModels(engine).model_alerts()
    assert (first.state, first.attempts, first.delivered_time) == ("delivered", 2, NOON + MINUTE)
    assert (newest.state, newest.raised_time) == ("raised", NOON + DAY)
    assert ReadModels(engine).model_alerts("raised") == [newest]
    [sums] = ReadModels(engine).accounting({ALERTS.name: log.ends()})
    assert (sums.projected, sums.void, sums.unaccounted) == (3, 2, 0)
    one_by_one = dump(engine)
    forget(engine)
    assert ReadModels(engine).model_alerts() == []
    project_all(alerts_projection(engine), log, 100)
    assert dump(engine) == one_by_one


class Monitored:
    """An installation with an active model; `alerts` are those in its log."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.log, self.now = engine, InMemoryEventLog(), LATER
        self.history = CheckedLog()
        self.store = ArtefactStore(folder)
        self.model = self.stored("m1")
        self._say(
            ModelPromoted(model_id="m1", model_hash=self.model, feature_set=CATALOGUE.hash), "p"
        )

    def stored(self, model_id: str) -> str:
        manifest = monitored_model(model_id=model_id).to_json()
        return self.store.put({GRAPH: b"graph", MANIFEST: manifest, FOREST: b"trees"})

    def roll_out(self, model_id: str) -> str:
        model_hash = self.stored(model_id)
        trained = ModelTrained(
            model_id=model_id, model_hash=model_hash, feature_set=CATALOGUE.hash, as_known_at=NOON,
            transactions=1, frauds=1, average_precision=0.5,
        )  # fmt: skip
        self._say(trained, "t")
        thresholds = Thresholds(review=0.5, step_up=0.7, decline=0.9)
        fact = ModelRolledOut(
            model_id=model_id, model_hash=model_hash, feature_set=CATALOGUE.hash, share=500,
            thresholds=thresholds,
        )  # fmt: skip
        self._say(fact, "r")
        return model_hash

    def _say(self, fact: object, event_id: str) -> None:
        self.log.append_nowait(POLICY, None, envelope(fact, event_id, NOON, NOON, "m"))

    def promote(self, model_id: str) -> str:
        model_hash = self.stored(model_id)
        fact = ModelPromoted(
            model_id=model_id, model_hash=model_hash, feature_set=CATALOGUE.hash,
            thresholds=THRESHOLDS,
        )  # fmt: skip
        self._say(fact, f"p/{model_id}/{self.policy.version}")
        return model_hash

    @property
    def in_force(self) -> str | None:
        return registry_of(self.log).in_force

    @property
    def policy(self) -> PolicySnapshot:
        return current_policy(self.log)

    @contextmanager
    def models(self) -> Iterator[Models]:
        """As opened for a rollback; each artefact is loaded as far as its manifest."""

        def load(model_hash: str) -> Any:
            return SimpleNamespace(inputs=self.store.open(model_hash).manifest.inputs)

        yield Models(self.log, self.store, registry_of(self.log), load)

    def monitor(self, *, rolls_back: bool = False) -> HealthMonitor:
        return HealthMonitor(
            HealthPorts(self.log, self.store, self.engine),
            lambda now: HealthQuery(now, limits=Limits(coverage=0)),
            15,
            "tests",
            lambda: self.now,
            AutomaticRollback(self.models) if rolls_back else None,
        )

    def turns_bad(self, model_hash: str, prefix: str = "t") -> None:
        """Forty frauds, of which its card would have 28 referred, and it refers 4."""
        vectors, _ = traffic(40, 3)
        scores = [0.6] * 4 + [0.1] * 36
        keys = [f"{prefix}-{number}" for number in range(40)]
        made = decided(vectors, scores, prefix=prefix, model_hash=model_hash)
        project(self.engine, *made, *frauds(keys, DAY), log=self.history)

    @property
    def alerts(self) -> list[Envelope]:
        return [decode(recorded.value) for recorded in self.log.read(ALERTS)]


async def test_feature_drift_raises_one_alert_and_is_shown(engine: Engine, tmp_path: Path) -> None:
    it = Monitored(engine, tmp_path)
    vectors, scores = traffic(1500, 3)
    vectors[:, 4] *= 3
    project(engine, *decided(vectors, scores, model_hash=it.model))
    monitor = it.monitor()
    [alert] = await monitor.step()
    assert (alert.measure, alert.features) == ("features", [CATALOGUE.names[4]])
    assert [each.id for each in it.alerts] == [alert.alert_id]
    rows = {(row.measure, row.feature): row for row in ReadModels(engine).model_health()}
    assert len(rows) == len(CATALOGUE) + 7
    assert rows["psi", CATALOGUE.names[4]].level == rows["health", ""].level == "alert"
    assert rows["score_psi", ""].level == "steady"

    it.now += MINUTE
    assert await it.monitor().step() == []
    it.now += 20 * MINUTE
    assert await monitor.step() == []
    # A restarted process raises it again, and that is void.
    it.now += 20 * MINUTE
    await it.monitor().step()
    assert [each.id for each in it.alerts] == [alert.alert_id] * 2
    log = CheckedLog(ALERTS.name, partitions=1)
    log.append(*it.alerts)
    project_all(alerts_projection(engine), log)
    assert [each.alert_id for each in ReadModels(engine).model_alerts()] == [alert.alert_id]


async def test_a_model_that_labels_show_to_be_bad_is_taken_back_once_by_two_monitors(
    engine: Engine, tmp_path: Path
) -> None:
    it = Monitored(engine, tmp_path)
    worse = it.promote("m2")
    it.turns_bad(worse)
    await asyncio.gather(*(it.monitor(rolls_back=True).step() for _ in range(2)))
    assert len({envelope.id for envelope in it.alerts}) == 1
    # The first of an id counts.
    alert = it.alerts[0].data
    assert (alert.measure, alert.model_id) == ("recall", "m2")
    assert alert.summary.endswith("; m1 is put back in force")
    assert (it.in_force, it.policy.before) == (it.model, ())
    promotions = {envelope.id for _, envelope in facts(it.log)}
    assert len(promotions) == 3
    version = it.policy.version
    for _ in range(3):
        it.now += HOUR
        await it.monitor(rolls_back=True).step()
    assert it.policy.version == version


async def test_without_the_setting_a_bad_model_stays_in_force(
    engine: Engine, tmp_path: Path
) -> None:
    it = Monitored(engine, tmp_path)
    worse = it.promote("m2")
    it.turns_bad(worse)
    [alert] = await it.monitor().step()
    assert (alert.measure, "in force" in alert.summary) == ("recall", False)
    assert it.in_force == worse


async def test_nothing_is_taken_back_twice_or_to_a_model_that_was(
    engine: Engine, tmp_path: Path
) -> None:
    it = Monitored(engine, tmp_path)
    worse = it.promote("m2")
    it.turns_bad(worse)
    await it.monitor(rolls_back=True).step()
    # The one before is bad too: it came by a rollback, and stays.
    it.turns_bad(it.model, "u")
    it.now += HOUR
    [alert] = await it.monitor(rolls_back=True).step()
    assert "a rollback put it in force" in alert.summary
    assert it.in_force == it.model
    # Somebody insists on the bad one.
    it.promote("m2")
    it.now += HOUR
    await it.monitor(rolls_back=True).step()
    assert it.in_force == worse
    third = it.promote("m3")
    it.turns_bad(third, "v")
    it.now += HOUR
    [alert] = await it.monitor(rolls_back=True).step()
    assert "m2, before it, was itself" in alert.summary
    assert it.in_force == third


async def test_the_roll_out_of_a_bad_challenger_is_ended(engine: Engine, tmp_path: Path) -> None:
    it = Monitored(engine, tmp_path)
    it.turns_bad(it.roll_out("m2"))
    [alert] = await it.monitor(rolls_back=True).step()
    assert alert.summary.endswith("; its roll-out is ended")
    assert (it.in_force, it.policy.roll_out) == (it.model, None)


async def test_drift_alone_takes_nothing_back(engine: Engine, tmp_path: Path) -> None:
    it = Monitored(engine, tmp_path)
    model = it.promote("m2")
    vectors, scores = traffic(1500, 3)
    project(engine, *decided(vectors * 3, scores, model_hash=model))
    assert await it.monitor(rolls_back=True).step() != []
    assert it.in_force == model


async def test_ordinary_traffic_raises_nothing(engine: Engine, tmp_path: Path) -> None:
    it = Monitored(engine, tmp_path)
    project(engine, *decided(*traffic(1500, 3), model_hash=it.model))
    assert await it.monitor().step() == []
    levels = {row.measure: row.level for row in ReadModels(engine).model_health()}
    assert levels["health"] == "steady"


async def test_a_challenger_is_monitored_too_and_a_model_that_cannot_be_does_not_stop_the_other(
    engine: Engine, tmp_path: Path
) -> None:
    it = Monitored(engine, tmp_path)
    challenger = it.roll_out("m2")
    await it.monitor().step()
    assert {row.model_hash for row in ReadModels(engine).model_health()} == {it.model, challenger}
    for file in (it.store.folder / it.model).iterdir():
        file.unlink()
    (it.store.folder / it.model).rmdir()
    it.now += HOUR
    await it.monitor().step()
    assert {row.model_hash for row in ReadModels(engine).model_health()} == {challenger}
