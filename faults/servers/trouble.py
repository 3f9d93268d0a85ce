"""Trouble: what a server or network does to calls, and how often each kind was met."""

from collections import Counter
from random import Random

from faults.loop.process import RUNNING, Process
from faults.loop.seeded_loop import SeededLoop


class Trouble:
    """Shared by the servers of a simulation.

    `slowness` multiplies every delay; `lost_answers` is the share of calls whose effect is done
    and whose answer never comes, `late` that of fetches whose answer takes much longer.
    `kill_after` kills a process right after so many of its effects.
    """

    def __init__(self, loop: SeededLoop) -> None:
        self.loop = loop
        self.chance: Random = loop.chance
        self.met: Counter[str] = Counter()
        self.slowness = 1.0
        self.lost_answers = 0.0
        self.late = 0.05
        self.effects: Counter[str] = Counter()
        self.kill_after: dict[str, int] = {}

    def delay(self, most: float) -> float:
        return self.chance.uniform(most / 10, most) * self.slowness

    def answer_is_lost(self) -> bool:
        lost = self.lost_answers > 0 and self.chance.random() < self.lost_answers
        self.met["answer lost"] += lost
        return lost

    def done(self, process: Process) -> None:
        """Call after each effect that `process` asked for."""
        self.effects[process.name] += 1
        if self.kill_after.get(process.name) == self.effects[process.name]:
            del self.kill_after[process.name]
            self.met["killed between effects"] += 1
            self.loop.kill(process)
            if RUNNING.get() is process:
                process.check()
