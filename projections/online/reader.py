"""Feature reader of a decision: stored states, the recent tail folded onto them, and the finish.

The states come from Feast's online store in one round trip, and with them how far the log goes that
any process has answered; the tail is what this process knows of the log itself. The decision
records the version map of the result, so that the same vector can be recomputed from the log.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from domain.errors import IntegrityError, UnavailableError
from domain.features import (
    CATALOGUE,
    Entity,
    EntityState,
    FeatureEvent,
    FeatureSet,
    encode_versions,
    entity_keys,
    finish,
)
from domain.transactions import Transaction
from eventlog.ledger.shared_call import SharedCall
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.port import Read, Recent, ServingStates

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
_BREAK_SECONDS = 0.5


class OnlineFeatureReader(Generic[Answer]):
    """Implements commands.ports.FeatureReader; `answer` makes its ServedFeatures.

    After a failure of the store nothing is asked of it for half a second: the decisions of a
    burst do not each wait for the same timeout.
    """

    def __init__(
        self,
        states: ServingStates,
        answer: Callable[[FeatureSet, list[float | None], dict[str, str], list[str]], Answer],
    ) -> None:
        self._states, self._answer = states, answer
        self._broken_until = 0.0
        self._answered: dict[int, int] = {}
        self._untold = False
        self._tell = SharedCall(self._tell_all)

    async def read(self, transaction: Transaction, recent: Recent) -> Answer:
        keys, tail = entity_keys(transaction), recent.tail
        read = await self._read(list(keys.items()))
        features = CATALOGUE if read is None else read.features
        flags = [f"no_{entity.value}" for entity in features.entities if entity not in keys]
        if read is None:
            values = finish({}, transaction)
            return self._answer(features, values, {}, [*flags, "features_unavailable"])
        # What any process had answered when we came is folded, and so is seen.
        await recent.reached(read.answered)
        # Taken before the entries: what comes later may or may not be in them.
        ends = tail.ends()
        markers, found = read.markers, read.states
        # What no feature asks for is in no version of the decision.
        found = [state for state in found if state.entity in features.by_entity]
        if any(shard_of(state.entity, state.key) in markers.rebuilding for state in found):
            flags.append("features_rebuilding")
        entries = [tail.entries(state.entity.value, state.key) for state in found]
        # Taken after the entries: what the tail dropped meanwhile must show as a gap.
        starts = tail.starts()
        versions: dict[str, str] = {}
        stale = False
        for state, entry in zip(found, entries, strict=True):
            covered = _covered(state, read)
            stale |= _fold_tail(state, covered, entry, starts, ends)
            versions[state.entity.value] = encode_versions(
                {source: at for source, at in covered.items() if at >= 0}
            )
        if stale:
            flags.append("stale_features")
        values = finish({state.entity: state for state in found}, transaction, features)
        return self._answer(features, values, versions, flags)

    async def answered(self, partition: int, offset: int) -> None:
        self._answered[partition] = max(offset, self._answered.get(partition, offset))
        self._untold = True
        if asyncio.get_running_loop().time() >= self._broken_until:
            await self._tell()

    async def _tell_all(self) -> None:
        self._untold = False
        try:
            await self._states.answered(dict(self._answered))
        except UnavailableError as error:
            # Told with the next: while the store is away for others too, they say so themselves.
            self._untold = True
            logger.warning("other processes are not told of what was answered: %s", error)

    def covered(self) -> dict[int, int]:
        """Per source partition the first offset that states may lack; empty without store."""
        try:
            markers = self._states.markers()
        except (UnavailableError, IntegrityError):
            return {}
        covered = markers.covered(TRANSACTIONS.partitions, ENTITIES.partitions)
        return {source: at + 1 for source, at in covered.items()}

    async def _read(self, keys: Sequence[tuple[Entity, str]]) -> Read | None:
        now = asyncio.get_running_loop().time()
        if now < self._broken_until:
            return None
        try:
            if self._untold:
                await self._tell()
            return await self._states.read(keys)
        except (UnavailableError, IntegrityError) as error:
            self._broken_until = now + _BREAK_SECONDS
            logger.warning("features are left at their defaults: %s", error)
            return None


def _covered(state: EntityState, read: Read) -> dict[int, int]:
    """Per source partition the last offset up to which the state is complete."""
    key = state.entity, state.key
    marker = None if key in read.lost else read.markers.at.get(shard_of(*key))
    return {
        source: max(state.version.get(source, -1), marker.covers(source) if marker else -1)
        for source in range(TRANSACTIONS.partitions)
    }


def _fold_tail(
    state: EntityState,
    covered: dict[int, int],
    recent: Sequence[tuple[int, int, FeatureEvent]],
    starts: Sequence[int],
    ends: Sequence[int],
) -> bool:
    """Folds what the tail has beyond `covered`, moving it on; True where a gap forbids that."""
    joins = [start <= covered[source] + 1 for source, start in enumerate(starts)]
    for source, offset, event in recent:
        if joins[source] and covered[source] < offset < ends[source]:
            state.fold(source, offset, event)
    for source, end in enumerate(ends):
        if joins[source]:
            covered[source] = max(covered[source], end - 1)
    return not all(joins)
