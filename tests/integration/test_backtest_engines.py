"""Engines of backtests: real processes and real workers of Dask give the bytes of one process."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import UnavailableError
from domain.features import CATALOGUE, Entity, Feature, FeatureSet
from domain.features.declarations.feature import Aggregation, Field
from domain.features.declarations.windows import Window
from domain.times import HOUR, MINUTE
from eventlog.archive.history import History
from operations.backtest.engines.local import LocalEngine, local_engine
from operations.backtest.engines.port import Engine
from operations.backtest.laying.decided import Serving
from operations.backtest.laying.lay_down import Means
from operations.backtest.policies.declared import column_of
from operations.backtest.policies.past import read_past
from runtime.composition.backtests import open_engine
from runtime.settings import settings_from_environment
from tests.builders.decisions.archived_events import SERVED, fact_of, history_of
from tests.builders.decisions.whole_past import nothing, nowhere, told
from tests.builders.feature_events import paid
from tests.builders.feature_streams import T0

# Of the catalogue, and of a candidate.
DECLARED = Feature(
    name="sum_2h", meaning="m", aggregation=Aggregation.SUM, entity=Entity.MERCHANT,
    field=Field.AMOUNT, window=Window("2h", 2 * HOUR, 2 * MINUTE),
)  # fmt: skip
FEATURES = FeatureSet([*CATALOGUE.features, column_of(DECLARED)])
SERVING = Serving({SERVED: FeatureSet(CATALOGUE.features[:3])}, taken=True)
PERIOD = T0, T0 + 10**12, T0 + 10**12


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    log = []
    for number in range(40):
        who = {"customer_id": f"c-{number % 5}", "merchant_id": f"m-{number % 3}"}
        event = paid(f"t-{number}", T0 + number * 1_000_000, 100 + number, **who)
        if number % 2:
            event = event._replace(outcome="approve")
        log.append(event)
        if number % 3 == 0:
            at = event.time + 2_000_000
            log.append(event._replace(kind="label", time=at, known_time=at, label=1))
    facts = [fact_of(event, number) for number, event in enumerate(log)]
    return history_of(facts, tmp_path_factory.mktemp("archive"), 5, 3)


@pytest.fixture(params=["local", "dask"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Of two workers, for however few records."""
    settings = settings_from_environment().model_copy(update={"backtest_workers": 2})
    with open_engine(settings, request.param) as found:
        if isinstance(found, LocalEngine):
            found.worth_it = 0
        assert found.workers == 2
        yield found


def test_two_workers_give_the_same_bytes(engine: Engine, history: History, tmp_path: Path) -> None:
    made: list[dict[str, Any]] = []
    for number, means in enumerate((Means(engine, 300_000), Means())):
        folder = tmp_path / str(number)
        folder.mkdir()
        past = read_past(
            history, *PERIOD, (), nowhere, nothing, nothing, FEATURES, means, folder,
            serving=SERVING,
        )  # fmt: skip
        made.append(told(past))
        names = [{each.name for each in folder.iterdir()}]
    assert made[0] == made[1]
    assert len(made[0]["ids"]) == 40
    assert past.made.values[-1, -1] == sum(100 + n for n in range(39) if n % 3 == 0) / 100
    # What was served to every other payment went through the workers too.
    assert past.made.values[:, :3][past.decided.made].tolist()[0][0] == 2.0
    assert past.decided.served.sum() == past.decided.made.sum() == 20
    assert "spill" not in names[0]


def test_a_worker_that_dies_is_told() -> None:
    with local_engine(2) as engine, pytest.raises(UnavailableError, match="a worker died"):
        engine.run(os._exit, [9], nothing)
