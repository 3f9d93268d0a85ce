"""Flags of rebuilt shards: they never end the writer, whose own writes find out what is wrong."""

from collections.abc import Sequence

import pytest

from domain.errors import FencedError, IntegrityError
from projections.online.port import Marker
from projections.online.rebuild_flags import RebuildFlags
from tests.fakes.states import InMemoryStates


class Refusing(InMemoryStates):
    """Refuses flags once it is told to."""

    refusal: Exception | None = None

    def rebuilding(self, shard: int, on: bool, epoch: int) -> None:
        if self.refusal is not None:
            raise self.refusal
        super().rebuilding(shard, on, epoch)


async def ends() -> Sequence[int]:
    return [5]


@pytest.mark.parametrize("refusal", [FencedError("claimed"), IntegrityError("gone")])
async def test_a_flag_that_is_refused_does_not_end_the_writer(refusal: Exception) -> None:
    states = Refusing()
    flags = RebuildFlags(states, ends)
    await flags.begin({3: Marker(0)}, frozenset(), states.claim({3: 0}))
    assert states.flagged == {3}
    states.refusal = refusal
    await flags.advance(3, Marker(9, {0: 4}))
    assert states.flagged == {3}
