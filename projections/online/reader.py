"""Feature reader of a decision: stored states, recent events folded onto them, and the finish.

Both come from Feast's online store in one round trip. The decision records what it held of each
entity, versions and recent events, so that the same vector can be recomputed from the log.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from domain.errors import IntegrityError, LogUnavailableError, UnavailableError
from domain.events import Envelope
from domain.features import CATALOGUE, Entity, EntityState, FeatureSet, entity_keys, finish
from domain.features.finish import finish_held
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import PARTITIONS
from domain.transactions import Transaction
from eventlog.routing import shard_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.online.port import NOTHING, Markers, Read, Recents, ServingStates
from projections.online.telling import Teller
from projections.ports import Ends

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
_BREAK_SECONDS = 0.5
_UNKNOWN = dict.fromkeys(range(TRANSACTIONS.partitions), 1 << 62)


class OnlineFeatureReader(Generic[Answer]):
    """Implements commands.ports.FeatureReader; `answer` makes its ServedFeatures.

    After a failure of the store nothing is asked of it for half a second: the decisions of a
    burst do not each wait for the same timeout. A store that was away may have lost recent events,
    and a process that is silent may have answered what it could not push: vectors are flagged until
    the states hold all that the log had by then (`ends`).
    """

    def __init__(
        self,
        states: ServingStates,
        ends: Ends,
        answer: Callable[[FeatureSet, list[float | None], dict[str, str], list[str]], Answer],
    ) -> None:
        self._states, self._ends, self._answer = states, ends, answer
        self._broken_until = 0.0
        self._teller = Teller(states, ends)
        self._connection = 0
        self._doubted: dict[int, int] = {}
        self._reached: tuple[Markers, Ints] | None = None

    async def read(self, transaction: Transaction) -> Answer:
        keys = entity_keys(transaction)
        read = await self._read(list(keys.items()))
        features = CATALOGUE if read is None else read.features
        flags = [f"no_{entity.value}" for entity in features.entities if entity not in keys]
        if read is None:
            values = finish({}, transaction)
            return self._answer(features, values, {}, [*flags, "features_unavailable"])
        markers = read.markers
        # What no feature asks for is in no version of the decision.
        found = [
            (state, recent)
            for state, recent in zip(read.states, read.recents, strict=True)
            if state.entity in features.by_entity
        ]
        shards = [shard_of(state.entity, state.key) for state, _ in found]
        if not markers.rebuilding.isdisjoint(shards):
            flags.append("features_rebuilding")
        lost = [(state.entity, state.key) in read.lost for state, _ in found]
        covered = self._covered(markers, shards, lost)
        values, held = finish_held(
            {state.entity: state for state, _ in found},
            transaction,
            features,
            covered,
            [recent.rows for _, recent in found],
        )
        if self._is_doubtful(markers) or any(lost) or _is_cut(found, covered[1:]):
            flags.append("stale_features")
        names = (state.entity.value for state, _ in found)
        return self._answer(features, values, dict(zip(names, held, strict=True)), flags)

    async def answered(self, partition: int, offset: int, decision: Envelope) -> None:
        await self._teller.answered(partition, offset, decision, self._may_ask())

    async def keep_vouching(self) -> None:
        await self._teller.keep_vouching()

    def _may_ask(self) -> bool:
        return asyncio.get_running_loop().time() >= self._broken_until

    async def _read(self, keys: Sequence[tuple[Entity, str]]) -> Read | None:
        if not self._may_ask():
            return None
        try:
            await self._teller.tell()
            read = await self._states.read(keys)
        except (UnavailableError, IntegrityError) as error:
            self._broken_until = asyncio.get_running_loop().time() + _BREAK_SECONDS
            logger.warning("features are left at their defaults: %s", error)
            return None
        self._teller.markers = read.markers
        if read.silent or self._states.connection != self._connection:
            await self._doubt()
        return read

    async def _doubt(self) -> None:
        """From now on, until the states hold all that is in the log now."""
        connection = self._states.connection
        # Until the log has answered, whoever reads doubts again: this call may be given up.
        self._connection, self._doubted = 0, _UNKNOWN
        try:
            ends = await self._ends()
        except LogUnavailableError:
            return
        self._connection = connection
        self._doubted = {source: end - 1 for source, end in enumerate(ends) if end}

    def _is_doubtful(self, markers: Markers) -> bool:
        if self._doubted:
            covered = markers.covered(TRANSACTIONS.partitions, ENTITIES.partitions)
            if all(covered[source] >= at for source, at in self._doubted.items()):
                self._doubted = {}
        return bool(self._doubted)

    def _covered(self, markers: Markers, shards: Sequence[int], lost: Sequence[bool]) -> Ints:
        """[1 + states, PARTITIONS] the offsets up to which the markers cover each state, -1 where
        nothing is; the first row is of none."""
        if self._reached is None or self._reached[0] is not markers:
            reached = np.full((1 + ENTITIES.partitions, PARTITIONS), NOTHING, dtype=np.int64)
            for shard, marker in markers.at.items():
                for source, at in marker.last.items():
                    reached[1 + shard, source] = at
            self._reached = markers, reached
        own = [0 if gone else 1 + shard for shard, gone in zip(shards, lost, strict=True)]
        return self._reached[1][[0, *own]]


def _is_cut(found: Sequence[tuple[EntityState, Recents]], covered: Ints) -> bool:
    """True where an event may be missing that a state does not hold."""
    return any(
        covered[i, source] < at
        for i, (_, recent) in enumerate(found)
        for source, at in recent.cut.items()
    )
