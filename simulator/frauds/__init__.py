"""Kinds of fraud and the calendar of their campaigns."""

import numpy as np

from domain.times import DAY
from simulator.columns import Columns, concatenated
from simulator.frauds.account_takeover import ACCOUNT_TAKEOVER
from simulator.frauds.card_testing import CARD_TESTING
from simulator.frauds.colluding_merchant import COLLUDING_MERCHANT
from simulator.frauds.compromised_terminal import COMPROMISED_TERMINAL
from simulator.frauds.impossible_travel import IMPOSSIBLE_TRAVEL
from simulator.frauds.kinds import FraudKind
from simulator.frauds.stolen_card_spree import STOLEN_CARD_SPREE
from simulator.population.world import World
from simulator.streams import stream

# A kind's number in Columns.kind is 1 + its place here: append, never reorder.
FRAUD_KINDS: tuple[FraudKind, ...] = (
    CARD_TESTING,
    STOLEN_CARD_SPREE,
    ACCOUNT_TAKEOVER,
    COMPROMISED_TERMINAL,
    IMPOSSIBLE_TRAVEL,
    COLLUDING_MERCHANT,
)

HORIZON_DAYS = max(kind.horizon_days for kind in FRAUD_KINDS)


class Campaigns:
    """All campaigns there are, by the day they begin on; remembers those of one horizon alone."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._begun: dict[int, Columns] = {}

    def on(self, day: int) -> list[Columns]:
        """The campaign payments of one day, whenever the campaigns began."""
        start = self._world.settings.day_start(day)
        first = day - HORIZON_DAYS + 1
        # Campaigns begin before day 0 too, so that day 0 is a day like any other.
        self._begun = {
            begun: self._begun[begun] if begun in self._begun else self._plans(begun)
            for begun in range(first, day + 1)
        }
        return [rows.between(start, start + DAY) for rows in self._begun.values()]

    def _plans(self, day: int) -> Columns:
        parts = [
            self._campaign(number, day, count)
            for number, kind in enumerate(FRAUD_KINDS)
            for count in range(self._count(kind, day))
        ]
        return concatenated(parts)

    def _count(self, kind: FraudKind, day: int) -> int:
        settings = self._world.settings
        rng = stream(settings.seed, f"frauds.{kind.name}", day)
        frauds_a_day = settings.per_day * settings.fraud_rate * kind.share
        return int(rng.poisson(frauds_a_day / kind.mean_frauds))

    def _campaign(self, number: int, day: int, count: int) -> Columns:
        kind = FRAUD_KINDS[number]
        rng = stream(self._world.settings.seed, f"frauds.{kind.name}", day, count)
        rows = kind.plan(self._world, rng, day)
        np.multiply(rows.kind, number + 1, out=rows.kind)
        return rows


__all__ = ["FRAUD_KINDS", "HORIZON_DAYS", "Campaigns", "FraudKind"]
