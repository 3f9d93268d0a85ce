"""Turns of the scheduled proof: the newest day of decisions, and an earlier one in its turn."""

from __future__ import annotations

from dataclasses import dataclass

from domain.times import DAY
from operations.progress import Count, Say
from operations.replay.differences import SHOWN, Replayed
from operations.replay.reading import decision_days
from operations.replay.verify import Altered, Period, ReplayPorts, verify


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked, and what was found in all of it together."""

    periods: list[Period]
    made: Replayed


def periods_of(days: list[int], turn: int, sample: int) -> list[Period]:
    """About `sample` decisions of `days` (numbers of UTC days, ascending), half of the newest one.

    The other half are of an earlier day: with each turn the next one, so that all get their turn.
    With each turn other decisions of a day are chosen.
    """
    chosen = days[-1:] if len(days) < 2 else [days[turn % (len(days) - 1)], days[-1]]
    each = max(1, sample // max(1, len(chosen)))
    return [Period(day * DAY, (day + 1) * DAY, each, salt=str(turn)) for day in chosen]


def verify_turn(
    ports: ReplayPorts,
    turn: int,
    sample: int,
    say: Say,
    count: Count,
    altered: Altered = lambda decided: decided,
) -> Turn:
    """Raises as `verify`; without decisions nothing is compared."""
    periods = periods_of(sorted(decision_days(ports.history)), turn, sample)
    made = Replayed()
    for period in periods:
        found = verify(ports, period, say, count, altered)
        made.compared += found.compared
        made.different += found.different
        made.causes.update(found.causes)
        made.paths.update(found.paths)
        made.shown = [*made.shown, *found.shown][:SHOWN]
    return Turn(periods, made)
