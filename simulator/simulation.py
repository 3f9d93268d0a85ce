"""Simulation: days in order, and their events in time order."""

from collections.abc import Iterator
from itertools import count

from simulator.columns import concatenated
from simulator.day import Day
from simulator.due_labels import DueLabels
from simulator.frauds import Campaigns
from simulator.labels import labels_of
from simulator.names import Names
from simulator.population.world import World
from simulator.records import SimulatedLabel, SimulatedTransaction
from simulator.settings import SimulationSettings
from simulator.traffic import honest_traffic


class Simulation:
    """A world, and every day of it: ``day(n)`` is a pure function of (settings, n).

    Memory holds the population, one day, and the campaigns of two weeks.
    """

    def __init__(self, settings: SimulationSettings) -> None:
        self.settings = settings
        self.world = World(settings)
        self._names = Names(self.world)
        self._campaigns = Campaigns(self.world)

    def day(self, index: int) -> Day:
        if index < 0:
            raise IndexError("days are counted from 0")
        parts = [honest_traffic(self.world, index), *self._campaigns.on(index)]
        columns = concatenated(parts).in_time_order()
        return Day(
            index=index,
            start_us=self.settings.day_start(index),
            id_prefix=self.settings.id_prefix,
            columns=columns,
            label_columns=labels_of(self.settings, index, columns),
            names=self._names,
        )

    def days(self, number: int | None = None, *, first: int = 0) -> Iterator[Day]:
        """That many days from day ``first`` on, made one at a time; without end when None."""
        for index in count(first) if number is None else range(first, first + number):
            yield self.day(index)

    def events(
        self, number: int | None = None, *, first: int = 0, until_us: int | None = None
    ) -> Iterator[SimulatedTransaction | SimulatedLabel]:
        """Transactions and the labels of these same transactions, by the time they are known.

        After the last of ``number`` days come the labels that are still due. ``until_us`` ends
        the run at that moment: nothing known at or after it is yielded.
        """
        for event in self._merged(number, first):
            at = event.known_at if isinstance(event, SimulatedLabel) else event.timestamp
            if until_us is not None and at >= until_us:
                return
            yield event

    def _merged(
        self, number: int | None, first: int
    ) -> Iterator[SimulatedTransaction | SimulatedLabel]:
        due = DueLabels()
        for day in self.days(number, first=first):
            due.add(day.labels())
            for tx in day.transactions():
                yield from due.before(tx.timestamp)
                yield tx
        yield from due.rest()
