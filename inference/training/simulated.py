"""Owns a training frame from simulated history, made in process; real history is dataset.py's.

Entities are folded as the live projections fold them. Labels reach features when they would be
known, while the frame's own labels are the simulation's truth, which stands for full maturity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.events import Envelope, TransactionImported, TransactionLabelled
from domain.features import CATALOGUE, Entity, EntityState, FeatureEvent, entity_keys, feature_event
from domain.features import finish as finish_features
from domain.money import Rates, approximate_rates
from domain.transactions import Transaction
from inference.training.fit import Progress
from inference.training.frame import Frame
from simulator import SimulatedLabel, SimulatedTransaction, Simulation, SimulationSettings

SOURCE = "retrace/simulated"


@dataclass(frozen=True, slots=True)
class SimulatedSettings:
    """`sampled` is the share of genuine transactions whose vectors are made: they cost most.

    `bare` is the share of vectors made as if only some of the ids had been given, so that the model
    knows what little a payload without them says.
    """

    seed: int = 1
    days: int = 30
    per_day: float = 2_000.0
    customers: int = 500
    merchants: int = 80
    sampled: float = 0.15
    bare: float = 0.1


def simulated_frame(chosen: SimulatedSettings, progress: Progress) -> Frame:
    """Deterministic. Rows are all frauds and the sampled genuine ones, in time order."""
    simulation = Simulation(
        SimulationSettings(
            seed=chosen.seed,
            per_day=chosen.per_day,
            customers=chosen.customers,
            merchants=chosen.merchants,
        )
    )
    start = simulation.settings.day_start(0)
    history = _History(approximate_rates())
    random = np.random.default_rng(chosen.seed)
    vectors: list[list[float | None]] = []
    rows: list[tuple[bool, int]] = []
    for event in simulation.events(
        chosen.days, until_us=simulation.settings.day_start(chosen.days)
    ):
        if isinstance(event, SimulatedLabel):
            history.fold_label(event)
            continue
        transaction = history.transaction(event)
        if event.fraud or random.random() < chosen.sampled:
            lost = _some(random) if random.random() < chosen.bare else ()
            vectors.append(history.finish(transaction, lost))
            rows.append((event.fraud, event.timestamp))
        history.fold(transaction)
        if history.folded % 4096 == 0:
            done = (event.timestamp - start) / (simulation.settings.day_start(chosen.days) - start)
            progress(done, f"simulated history: {history.folded} transactions")
    labels = np.array([fraud for fraud, _ in rows], dtype=np.float64)
    return Frame(
        np.array(vectors, dtype=np.float64),
        labels,
        np.array([time for _, time in rows], dtype=np.int64),
        np.where(labels == 1, 1.0, 1.0 / chosen.sampled),
        CATALOGUE.names,
        CATALOGUE.hash,
        simulation.settings.day_start(chosen.days),
        tuple(feature.definition for feature in CATALOGUE.features),
    )


class _History:
    """The states of all entities, as of the events folded so far."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._states: dict[tuple[Entity, str], EntityState] = {}
        self._transactions: dict[str, Transaction] = {}
        self.folded = 0
        self._offset = 0

    def transaction(self, event: SimulatedTransaction) -> Transaction:
        return Transaction(
            transaction_id=event.transaction_id,
            timestamp=event.timestamp,
            amount=event.amount,
            currency=event.currency,
            base_amount=self._rates.to_base(event.amount, event.currency, event.timestamp),
            card_id=event.card_id,
            customer_id=event.customer_id,
            merchant_id=event.merchant_id,
            mcc=event.mcc,
            device_id=event.device_id,
            ip=event.ip,
            country=event.country,
            lat=event.lat,
            lon=event.lon,
            channel=event.channel,
        )

    def finish(self, transaction: Transaction, lost: tuple[Entity, ...]) -> list[float | None]:
        return finish_features(
            {
                entity: self._state(entity, key)
                for entity, key in entity_keys(transaction).items()
                if entity not in lost
            },
            transaction,
        )

    def fold(self, transaction: Transaction) -> None:
        self.folded += 1
        self._transactions[transaction.transaction_id] = transaction
        imported = TransactionImported(
            transaction=transaction, digest="", origin=SOURCE, line=self.folded
        )
        self._fold(_fact(imported, transaction.transaction_id, transaction.timestamp))

    def fold_label(self, label: SimulatedLabel) -> None:
        about = self._transactions[label.transaction_id]
        labelled = TransactionLabelled(
            transaction_id=label.transaction_id,
            value=label.value,
            kind=label.kind,
            reporter=SOURCE,
            reference=label.reference,
            transaction_time=about.timestamp,
            base_amount=about.base_amount,
            card_id=about.card_id,
            customer_id=about.customer_id,
            merchant_id=about.merchant_id,
            device_id=about.device_id,
            ip=about.ip,
        )
        self._fold(_fact(labelled, label.reference, label.known_at))

    def _fold(self, fact: Envelope) -> None:
        event: FeatureEvent | None = feature_event(fact)
        if event is None:
            return
        self._offset += 1
        for entity, key in entity_keys(event).items():
            self._state(entity, key).fold(0, self._offset, event)

    def _state(self, entity: Entity, key: str) -> EntityState:
        state = self._states.get((entity, key))
        if state is None:
            state = self._states[(entity, key)] = EntityState(entity, key)
        return state


def _fact(data: TransactionImported | TransactionLabelled, event_id: str, time: int) -> Envelope:
    return Envelope(
        id=event_id,
        source=SOURCE,
        subject=event_id,
        time=time,
        known_time=time,
        data=data,
        correlation_id=event_id,
    )


def _some(random: np.random.Generator) -> tuple[Entity, ...]:
    """Entities that go missing: each with even chances, all of them once in three times."""
    if random.random() < 1 / 3:
        return tuple(Entity)
    return tuple(entity for entity in Entity if random.random() < 0.5)
