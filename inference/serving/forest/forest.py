"""Forest: decision trees as flat arrays, from which the graph and the reasons are made."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from inference.serving.graph import GREATEST, Matrix

Floats = npt.NDArray[np.float64]
Nodes = npt.NDArray[np.int64]

_AT_ONCE = 1 << 12  # rows, whose values stay in the cache


@dataclass(frozen=True, slots=True)
class Forest:
    """The nodes of all trees in one row [n], the tree of `roots[t]` beginning there.

    A node of feature j whose `side` is 2 j leads unknown values to the left, one of 2 j + 1 to the
    right. Known values greater than `threshold` go right, which is `child` + 1, others left, to
    `child`. A leaf is its own child. Of the trees that are averaged it `says` the part of its rows
    that was fraud, strictly between 0 and 1; of the last `boosted` trees, log odds to be added.
    """

    roots: npt.NDArray[np.int32]
    side: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    child: npt.NDArray[np.int32]
    says: npt.NDArray[np.float32]
    boosted: int = 0

    def __len__(self) -> int:
        return len(self.roots)

    @property
    def averaged(self) -> int:
        """The number of the first trees, whose shares of fraud are averaged."""
        return len(self.roots) - self.boosted

    @property
    def depths(self) -> Nodes:
        """[trees] the greatest number of comparisons of each."""
        depths = np.zeros(len(self.roots), dtype=np.int64)
        trees, level = np.arange(len(self.roots)), self.roots.astype(np.int64)
        while len(level):
            inner = self.child[level] != level
            trees, level = trees[inner], self.child[level[inner]].astype(np.int64)
            depths[trees] += 1
            trees, level = np.tile(trees, 2), np.concatenate([level, level + 1])
        return depths

    @property
    def depth(self) -> int:
        """The greatest number of comparisons of a tree."""
        return int(self.depths.max())

    def shares(self, rows: Matrix) -> Floats:
        """[n] means over the averaged trees of the fraud in the leaves of `rows` [n, d]."""
        return self._sums(rows, self.roots[: self.averaged]) / self.averaged

    def logits(self, rows: Matrix) -> Floats:
        """[n] log odds of `shares` and what the boosted trees add, not calibrated."""
        return log_odds(self.shares(rows)) + self._sums(rows, self.roots[self.averaged :])

    def counting(self, boosted: int, weight: float) -> Forest:
        """The averaged trees, and the first `boosted` of the others with `weight` of what they add.

        The nodes of a tree stand together, in the order of the roots.
        """
        kept = self.averaged + min(boosted, self.boosted)
        end = int(self.roots[kept]) if kept < len(self) else len(self.says)
        says = self.says[:end].copy()
        if self.boosted:
            says[self.roots[self.averaged] :] *= np.float32(weight)
        return Forest(
            self.roots[:kept],
            self.side[:end],
            self.threshold[:end],
            self.child[:end],
            says,
            kept - self.averaged,
        )

    def _sums(self, rows: Matrix, roots: npt.NDArray[np.int32]) -> Floats:
        found = np.zeros(len(rows))
        for begin in range(0, len(rows), _AT_ONCE):
            part = sided(rows[begin : begin + _AT_ONCE])
            for root in roots.tolist():
                found[begin : begin + len(part)] += self.says[self._leaves(root, part)]
        return found

    def _leaves(self, root: int, values: Matrix) -> Nodes:
        nodes = np.full(len(values), root, dtype=np.int64)
        walking = np.arange(len(nodes))
        while len(walking := walking[self.child[nodes[walking]] != nodes[walking]]):
            at = nodes[walking]
            nodes[walking] = self.next(at, values[walking, self.side[at]])
        return nodes

    def next(self, nodes: Nodes, values: Matrix) -> Nodes:
        """The nodes below, by the value on each one's side; a leaf stays."""
        below: Nodes = self.child[nodes].astype(np.int64) + (values > self.threshold[nodes])
        return below

    def to_bytes(self) -> bytes:
        """Deterministic: members carry no time."""
        buffer = io.BytesIO()
        np.savez(buffer, **{each.name: getattr(self, each.name) for each in fields(self)})
        return buffer.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> Forest:
        """Raises ValueError, KeyError or an error of the archive where the bytes are no forest."""
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = dict(stored)
        # Models of format 4 are of averaged trees alone.
        says = arrays.pop("share") if "share" in arrays else arrays.pop("says")
        return Forest(**arrays | {"says": says, "boosted": int(arrays.get("boosted", 0))})


def joined(forests: Sequence[Forest]) -> Forest:
    """One forest of the trees of all, in order: what is boosted is last."""
    begins = np.cumsum([0, *(len(each.child) for each in forests)])[:-1].astype(np.int32)
    return Forest(
        np.concatenate([each.roots + at for each, at in zip(forests, begins, strict=True)]),
        np.concatenate([each.side for each in forests]),
        np.concatenate([each.threshold for each in forests]),
        np.concatenate([each.child + at for each, at in zip(forests, begins, strict=True)]),
        np.concatenate([each.says for each in forests]),
        sum(each.boosted for each in forests),
    )


def sided(rows: Matrix) -> Matrix:
    """[n, 2 d]: each value of `rows` [n, d] twice, an unknown one as the least and the greatest."""
    twice = np.repeat(rows, 2, axis=1)
    unknown = np.isnan(rows)
    twice[:, ::2][unknown], twice[:, 1::2][unknown] = -GREATEST, GREATEST
    return twice


def log_odds(shares: Floats) -> Floats:
    return np.log(shares) - np.log1p(-shares)
