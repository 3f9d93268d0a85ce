"""Checkpoint of the offline vectors: what the states that were kept are of.

A process that begins goes on from it: records below `next` are not read again, and those `ahead`
are read and not folded again.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from domain.features import FeatureSet
from projections.offline.entity_states import EntityStates, StateFile
from projections.offline.ideal_fold import IdealFold
from projections.offline.merge import Merge, Place
from projections.offline.skew import Seen, Skew
from projections.offline.stragglers import FIRST, Stragglers

_FORMAT = 1
Run = tuple[int, int]
"""(first offset, how many)."""


class Checkpoint(msgspec.Struct, frozen=True, array_like=True):
    """`next` and `ahead` by partition; `greatest` is the last place in the ideal order that was
    folded, `folded` the number of events; `seen` is of projections.offline.skew."""

    of: tuple[int | str, ...]
    next: tuple[int, ...]
    ahead: tuple[tuple[Run, ...], ...]
    greatest: Place = FIRST
    folded: int = 0
    seen: list[Seen] = []

    @property
    def begins(self) -> dict[int, int]:
        return dict(enumerate(self.next))

    def taken(self, partition: int) -> Iterator[int]:
        """Offsets at or above `next` that were folded."""
        for first, count in self.ahead[partition]:
            yield from range(first, first + count)


def made_for(features: FeatureSet) -> tuple[int | str, ...]:
    """What states can be folded on with: this format, these features, and their layouts."""
    digests = [features.plans[entity].digest for entity in features.entities]
    return _FORMAT, features.hash, *digests


def nothing(features: FeatureSet, partitions: int) -> Checkpoint:
    return Checkpoint(made_for(features), (0,) * partitions, ((),) * partitions)


def keep(
    states: EntityStates,
    settled: Mapping[int, int],
    merge: Merge,
    stragglers: Stragglers,
    fold: IdealFold,
    skew: Skew,
) -> None:
    """A checkpoint of all that was folded so far: per partition all below `settled`, and what is
    ahead of it. Nothing of these is to change meanwhile. Raises UnavailableError: nothing is kept.
    """
    partitions = sorted(settled)
    checkpoint = Checkpoint(
        made_for(fold.features),
        tuple(settled[partition] for partition in partitions),
        tuple(_runs(merge.ahead(partition)) for partition in partitions),
        stragglers.greatest,
        fold.folded,
        skew.seen(),
    )
    states.keep(encode(checkpoint))


def taken_up(
    file: StateFile | None,
    features: FeatureSet,
    written: Mapping[int, int],
    checked: Mapping[int, int],
) -> Checkpoint:
    """Rolls the file back to its checkpoint, or empties it where that cannot be gone on from.

    Rows must be `written`, and ids known (`checked`, where the topic has any), of all that it is
    of: a store or a memory that went back is filled from the beginning. Raises UnavailableError.
    """
    empty = nothing(features, len(written))
    if file is None:
        return empty
    found = _decoded(file.roll_back())
    if found is not None and found.of == empty.of and len(found.next) == len(written):
        behind = (
            at > written[partition] or at > checked.get(partition, at)
            for partition, at in enumerate(found.next)
        )
        if not any(behind):
            return found
    file.clear()
    return empty


def encode(checkpoint: Checkpoint) -> bytes:
    return msgspec.msgpack.encode(checkpoint)


def _runs(offsets: Iterable[int]) -> tuple[Run, ...]:
    found: list[Run] = []
    for offset in sorted(offsets):
        if found and offset == sum(found[-1]):
            found[-1] = found[-1][0], found[-1][1] + 1
        else:
            found.append((offset, 1))
    return tuple(found)


def _decoded(mark: bytes | None) -> Checkpoint | None:
    try:
        return None if mark is None else msgspec.msgpack.decode(mark, type=Checkpoint)
    except msgspec.DecodeError:
        # Of another format.
        return None
