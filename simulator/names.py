"""Identifiers and texts of the simulated entities, by index."""

import numpy as np
import orjson

from simulator.columns import CARDS_PER_CUSTOMER, NO_DEVICE, Ints
from simulator.population.categories import CATEGORIES
from simulator.population.customers import issuer_bin, issuer_name
from simulator.population.world import World


class Names:
    """Texts by index, made once for a world."""

    def __init__(self, world: World) -> None:
        self._seed = world.settings.seed
        people, shops = world.customers, world.merchants
        cards = range(len(people) * CARDS_PER_CUSTOMER)
        self.cards = [f"card-{index:07d}" for index in cards]
        self.customers = [f"customer-{index:07d}" for index in range(len(people))]
        self.merchants = [f"merchant-{index:06d}" for index in range(len(shops))]
        self.mccs = [CATEGORIES[index].mcc for index in shops.category.tolist()]
        self.attributes = [
            {"bin": issuer_bin(issuer), "issuer": issuer_name(issuer), "last4": f"{last_four:04d}"}
            for issuer, last_four in zip(
                people.issuer.tolist(), people.last_four.tolist(), strict=True
            )
        ]
        self.attributes_json = [orjson.dumps(entry).decode() for entry in self.attributes]

    def devices(self, codes: Ints) -> list[str | None]:
        """The same code is always the same text, and texts tell nothing about who owns it."""
        mixed = _mixed(codes.astype(np.uint64) + np.uint64(self._seed)) >> np.uint64(16)
        return [
            None if code == NO_DEVICE else f"device-{value:012x}"
            for code, value in zip(codes.tolist(), mixed.tolist(), strict=True)
        ]


def _mixed(
    values: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """The finalizer of SplitMix64 (Steele, Lea and Flood, 2014), modulo 2^64."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
