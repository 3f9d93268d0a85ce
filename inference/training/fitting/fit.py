"""Fit of the forest: blocks of trees, by this process or by several that share a folder."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from host.processes import give_way
from inference.frame.frame import Frame
from inference.frame.progress import Progress
from inference.serving.forest.forest import Forest, joined
from inference.training.fitting.boosting import boosted
from inference.training.fitting.kept_trees import KeptTrees
from inference.training.fitting.trees import FitSettings, Growing

BLOCK = 10  # trees


@dataclass(frozen=True, slots=True)
class Workers:
    """Process `index` of `count` that grow a forest together; each takes every `count`-th block."""

    count: int = 1
    index: int = 0

    @property
    def chief(self) -> bool:
        return self.index == 0

    def mine(self, blocks: int) -> range:
        return range(self.index, blocks, self.count)


ALONE = Workers()


Waiting = Callable[[], None]


def nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Run:
    """Who fits with whom, and where the trees are kept that are grown; `waiting` is called now and
    then while other workers grow theirs."""

    workers: Workers = ALONE
    kept: KeptTrees = field(default_factory=KeptTrees)
    threads: int = os.cpu_count() or 1
    waiting: Waiting = nothing


EARLIER, ALL = "earlier", "all"
"""Phases of a training, as files of trees are named."""
_SHOWN = {EARLIER: "earlier labels", ALL: "all labels"}


@dataclass(frozen=True, slots=True)
class Fit:
    """One forest of a training: of the labelled rows of `frame`."""

    phase: str
    frame: Frame
    seed: int


def grow(fit: Fit, chosen: FitSettings, progress: Progress, run: Run) -> None:
    """This worker's trees of a fit, but for those that are kept.

    The same frame, seed and settings give the same trees, whoever grows which of them and however
    often that was interrupted. Raises UnavailableError where the disk is full.
    """
    growing = Growing(fit.frame, chosen)
    blocks = run.workers.mine(_blocks(chosen))
    boosting = partial(boosted, fit.frame, chosen, fit.seed)
    # What decides on this machine goes first.
    with ThreadPoolExecutor(run.threads, initializer=give_way, initargs=(10,)) as pool:
        for done, block in enumerate(blocks, start=1):
            if not run.kept.has(fit.phase, block):
                numbers = range(block * BLOCK, min((block + 1) * BLOCK, chosen.trees))
                grown = pool.map(lambda number: growing.tree(fit.seed, number), numbers)
                made = list(grown) if numbers else [pool.submit(boosting).result()]
                run.kept.keep(fit.phase, block, joined(made))
            trees = min(done * run.workers.count * BLOCK, chosen.trees)
            what = _SHOWN.get(fit.phase, fit.phase)
            progress(done / len(blocks), f"{what}, {trees} of {chosen.trees} trees")


def grown(fit: Fit, chosen: FitSettings, progress: Progress, run: Run) -> Forest:
    """The forest of a fit. Raises as `grow`, and where another worker does not do its part."""
    grow(fit, chosen, progress, run)
    blocks = range(_blocks(chosen))
    return joined([run.kept.awaited(fit.phase, block, run.waiting) for block in blocks])


def _blocks(chosen: FitSettings) -> int:
    """Those of the averaged trees, and one of all that are boosted, which is last."""
    return -(-chosen.trees // BLOCK) + (chosen.boosted > 0)
