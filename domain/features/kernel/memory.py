"""Memory in which a state lies while it is folded or finished."""

import threading
from typing import Protocol

import numpy as np

from domain.features.kernel.arrays import Ints, Scratch
from domain.features.kernel.layout import HEAD
from domain.features.kernel.row_layout import PARTITIONS


class Laid(Protocol):
    """A plan; see domain.features.declarations.plan."""

    @property
    def stores(self) -> Ints: ...

    @property
    def size(self) -> int: ...

    @property
    def spare(self) -> int: ...

    @property
    def cached(self) -> int: ...


_LOCAL = threading.local()


def scratch(plan: Laid) -> Scratch:
    """Memory for one state of `plan`, one per thread."""
    held: dict[int, tuple[Laid, Scratch]] = _LOCAL.__dict__.setdefault("held", {})
    found = held.get(id(plan))
    if found is None:
        if len(held) > 64:
            held.clear()
        # The plan is kept with it, so that its id cannot become that of another.
        found = held[id(plan)] = (plan, fresh(plan))
    return found[1]


def fresh(plan: Laid) -> Scratch:
    return (
        np.zeros(plan.size, dtype=np.int64),
        np.zeros((len(plan.stores), 2), dtype=np.int64),
        np.zeros(HEAD, dtype=np.int64),
        np.zeros(PARTITIONS, dtype=np.int64),
        np.zeros(plan.spare + plan.cached, dtype=np.int64),
    )
