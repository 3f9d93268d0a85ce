"""A frame of simulated history is folded by the real code, and a model learns from it."""

import numpy as np
import pytest

from domain.features import CATALOGUE, Entity, EntityState, entity_keys, finish
from domain.features.events import transaction_event
from domain.money import approximate_rates
from inference.frame.frame import Frame
from inference.frame.simulated import History, SimulatedSettings, simulated_frame
from inference.training.fitting.trees import FitSettings
from inference.training.train import TrainSettings, train
from simulator.records import SimulatedLabel
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation

SMALL = SimulatedSettings(days=12, per_day=1_000.0, customers=250, merchants=40, sampled=0.2)


def made(settings: SimulatedSettings = SMALL) -> Frame:
    return simulated_frame(settings, lambda _done, _text: None)


@pytest.fixture(scope="module")
def frame() -> Frame:
    return made()


def test_a_frame_has_the_catalogues_columns_in_time_order(frame: Frame) -> None:
    assert frame.names == CATALOGUE.names
    assert frame.feature_set == CATALOGUE.hash
    assert frame.vectors.shape == (len(frame), len(CATALOGUE.names))
    assert (np.diff(frame.times) >= 0).all()
    assert set(frame.labels.tolist()) == {0.0, 1.0}


def test_sampled_rows_stand_for_all_traffic(frame: Frame) -> None:
    assert frame.stands_for.sum() == pytest.approx(12_000, rel=0.1)
    assert frame.prevalence == pytest.approx(0.007, rel=0.5)


def test_the_same_settings_give_the_same_bits(frame: Frame) -> None:
    again = made()
    assert again.vectors.tobytes() == frame.vectors.tobytes()
    assert again.labels.tobytes() == frame.labels.tobytes()


def test_a_model_learns_from_it(frame: Frame) -> None:
    settings = TrainSettings(fitting=FitSettings(trees=50), more_seeds=0)
    metrics = train(frame, settings, lambda _done, _text: None).metrics
    assert metrics["auc"] > 0.85


def test_a_vector_is_what_states_folded_one_by_one_give_without_the_lost_entities() -> None:
    simulation = Simulation(SimulationSettings(seed=3, per_day=60.0, customers=10, merchants=10))
    history, states = History(approximate_rates()), dict[tuple[Entity, str], EntityState]()
    wanted: list[list[float | None]] = []
    for number, event in enumerate(simulation.events(3, until_us=simulation.settings.day_start(3))):
        if isinstance(event, SimulatedLabel):
            continue
        transaction = history.transaction(event)
        lost = CATALOGUE.entities[number % 8 : number % 8 + 2]
        history.ask(transaction, lost)
        mine = {
            entity: states.setdefault((entity, key), EntityState(entity, key))
            for entity, key in entity_keys(transaction).items()
        }
        given = {entity: state for entity, state in mine.items() if entity not in lost}
        wanted.append(finish(given, transaction))
        history.add(transaction)
        fact = transaction_event(
            transaction, transaction.transaction_id, transaction.timestamp, None
        )
        for state in mine.values():
            state.fold(0, number, fact)
    assert len(wanted) > 100
    assert history.vectors().tobytes() == np.array(wanted, dtype=np.float64).tobytes()
