"""Training frame of simulated history, replayed in process.

The history becomes rows, and the kernel that also serves replays them once. Labels reach features
when they would be known; the labels of the frame are the truth of the simulation.
"""

from dataclasses import dataclass

import numpy as np

from domain.events import Envelope, TransactionImported, TransactionLabelled
from domain.features import CATALOGUE, Entity, entity_keys, feature_event
from domain.features.engine import vectors
from domain.features.entities import NamesEntities
from domain.features.events import place_of
from domain.features.kernel.row_layout import WIDTH
from domain.features.rows import request_row, row_of
from domain.money import Rates, approximate_rates
from domain.transactions import Transaction
from inference.frame.frame import Floats, Frame
from inference.frame.progress import Progress
from simulator.records import SimulatedLabel, SimulatedTransaction
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation

SOURCE = "retrace/simulated"


@dataclass(frozen=True, slots=True)
class SimulatedSettings:
    """`sampled` is the share of genuine transactions that become rows of the frame.

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
    start, end = (simulation.settings.day_start(day) for day in (0, chosen.days))
    history = History(approximate_rates())
    random = np.random.default_rng(chosen.seed)
    rows: list[tuple[bool, int]] = []
    for event in simulation.events(chosen.days, until_us=end):
        if isinstance(event, SimulatedLabel):
            history.add_label(event)
            continue
        transaction = history.transaction(event)
        if event.fraud or random.random() < chosen.sampled:
            history.ask(transaction, _some(random) if random.random() < chosen.bare else ())
            rows.append((event.fraud, event.timestamp))
        history.add(transaction)
        if history.added % 4096 == 0:
            done = (event.timestamp - start) / (end - start)
            progress(done, f"simulated history: {history.added} transactions")
    labels = np.array([fraud for fraud, _ in rows], dtype=np.float64)
    return Frame(
        history.vectors(),
        labels,
        np.array([time for _, time in rows], dtype=np.int64),
        np.where(labels == 1, 1.0, 1.0 / chosen.sampled),
        CATALOGUE.names,
        CATALOGUE.hash,
        end,
        tuple(feature.definition for feature in CATALOGUE.features),
        simulated=True,
    )


class History:
    """What happened and what is asked, in the order of known time, as rows for the replay.

    A vector is asked by a row of its own before the transaction's: it can lack entities that the
    transaction itself goes on to change.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._transactions: dict[str, Transaction] = {}
        self._rows: list[tuple[int, ...]] = []
        self._due: list[int] = []
        self._codes: dict[Entity, list[int]] = {entity: [] for entity in CATALOGUE.entities}
        self._numbers: dict[Entity, dict[str, int]] = {entity: {} for entity in CATALOGUE.entities}
        self._asked = 0
        self.added = 0

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

    def ask(self, transaction: Transaction, lost: tuple[Entity, ...]) -> None:
        """The next row of `vectors`: of what was added so far, as if `lost` had not been given."""
        row = request_row(transaction, place_of(transaction))
        self._append(row, self._asked, transaction, lost)
        self._asked += 1

    def add(self, transaction: Transaction) -> None:
        self.added += 1
        self._transactions[transaction.transaction_id] = transaction
        imported = TransactionImported(
            transaction=transaction, digest="", origin=SOURCE, line=self.added
        )
        self._add(_fact(imported, transaction.transaction_id, transaction.timestamp))

    def add_label(self, label: SimulatedLabel) -> None:
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
        self._add(_fact(labelled, label.reference, label.known_at))

    def vectors(self) -> Floats:
        """[asked, features], NaN for unknown."""
        rows = np.array(self._rows, dtype=np.int64).reshape(len(self._rows), WIDTH)
        keys = {entity: np.array(codes, np.int64) for entity, codes in self._codes.items()}
        return vectors(CATALOGUE, keys, rows, np.array(self._due, dtype=np.int64))

    def _add(self, fact: Envelope) -> None:
        event = feature_event(fact)
        if event is not None:
            self._append(row_of(0, len(self._rows), event), -1, event, ())

    def _append(
        self, row: tuple[int, ...], due: int, source: NamesEntities, lost: tuple[Entity, ...]
    ) -> None:
        self._rows.append(row)
        self._due.append(due)
        keys = entity_keys(source)
        for entity, codes in self._codes.items():
            key = None if entity in lost else keys.get(entity)
            numbers = self._numbers[entity]
            codes.append(-1 if key is None else numbers.setdefault(key, len(numbers)))


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
        return CATALOGUE.entities
    return tuple(entity for entity in CATALOGUE.entities if random.random() < 0.5)
