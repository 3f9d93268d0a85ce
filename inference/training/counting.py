"""How much the boosted trees of a forest count: the way that ranks held-out payments better.

Where what is left of the frauds cannot be foreseen, averaged trees rank best and boosted ones part
equal scores; where features tell frauds apart, boosted trees rank better, and by far more: so they
count in full where they gain more than they may lose, however little is sure of that
(docs/adr/0051-the-likelier-way.md, docs/adr/0061-what-boosted-trees-must-gain.md).
"""

from dataclasses import dataclass

from inference.evaluation.gate.ranking import average_precision, labelled_rows, ranking_sums
from inference.evaluation.gate.resampling import Interval, interval, resampled, units_of
from inference.frame.frame import Frame
from inference.serving.forest.forest import Forest
from inference.serving.graph import as_rows


@dataclass(frozen=True, slots=True)
class Count:
    """The first `boosted` of the boosted trees count, with `weight` of what they add."""

    boosted: int
    weight: float

    def of(self, forest: Forest) -> Forest:
        return forest.counting(self.boosted, self.weight)


# Boosted trees say twice what they add where the averaged ones are to count for half beside them:
# calibration takes the scale away.
LITTLE, IN_FULL = Count(25, 0.1), Count(200, 2.0)
# Of average precision. Where full is right it gains twice that and more; where both rank alike on
# what was held out, it may lose as much in the week after.
_WORTH = 0.01


@dataclass(frozen=True, slots=True)
class Counted:
    """`gain` is by how much average precision rises where boosted trees count in full."""

    count: Count
    gain: Interval


def counted(forest: Forest, later: Frame) -> Counted:
    """`forest` learnt from nothing of `later`; the interval is that of a bootstrap over cards."""
    rows, about = labelled_rows(later)
    vectors = as_rows(later.vectors[rows])
    ways = [count.of(forest).logits(vectors) for count in (LITTLE, IN_FULL)]
    sums = [each for logits in ways for each in ranking_sums(about, logits)]
    drawn = resampled(units_of(later)[rows], sums)
    little, full = (average_precision(drawn[begin : begin + 4]) for begin in (0, 4))
    gain = interval(full - little)
    return Counted(IN_FULL if gain.value > _WORTH else LITTLE, gain)
