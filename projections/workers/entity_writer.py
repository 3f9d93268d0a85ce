"""Owns the folding of routed events into online states; how states are kept is the store's.

One writer folds each share of the entities. States are saved as soon as the share has caught up,
and some seconds' worth at once while it lags; then the markers move. After a crash in between,
folding the same records again changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np

from domain.errors import IntegrityError, UndecodableError
from domain.features import Entity, EntityState, FeatureEvent
from domain.features.engine import fold_states
from domain.features.rows import WIDTH
from eventlog.port import Position
from eventlog.routing import decode_routed, entries_of
from eventlog.topics import ENTITIES, TRANSACTIONS
from projections.feature_state import Marker, StateStore
from projections.workers.batches import Batch
from projections.workers.judging import DeadLetter
from projections.workers.rebuilds import Rebuilds

Key = tuple[Entity, str]
Entry = tuple[int, int, FeatureEvent]
# What a fold or an encoding may raise on values that nobody thought of.
_UNFOLDABLE = (ArithmeticError, LookupError, TypeError, ValueError)
_SAVE_SECONDS = 5.0


class EntityWriter:
    """A BatchHandler of ENTITIES. `most` bounds the states held in memory over all shares."""

    def __init__(
        self, states: StateStore, dead_letter: DeadLetter, rebuilds: Rebuilds, most: int = 20_000
    ) -> None:
        self._states, self._dead_letter, self._rebuilds = states, dead_letter, rebuilds
        self._most = most
        self._held: OrderedDict[Key, EntityState] = OrderedDict()
        self._reached: dict[int, Marker] = {}
        self._stored: dict[int, Marker | None] = {}
        self._unsaved: dict[Key, list[Entry]] = {}
        self._saved_at = time.monotonic()

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        await asyncio.to_thread(self._states.adopt)
        found = await asyncio.to_thread(self._states.markers)
        self._held.clear()
        self._unsaved.clear()
        self._stored = {share: found.at.get(share) for share in partitions}
        self._reached = {share: marker or Marker() for share, marker in self._stored.items()}
        await self._rebuilds.begin(self._stored, found.rebuilding)
        return {share: marker.next for share, marker in self._reached.items()}

    async def handle(self, batch: Batch) -> None:
        """Handed in again after a failure, it folds nothing twice and saves what is unsaved."""
        before = self._reached[batch.partition]
        if batch.next > before.next:
            await self._fold(batch, before)
        late = time.monotonic() - self._saved_at > _SAVE_SECONDS
        if batch.next >= batch.end or late or len(self._unsaved) > self._most // 2:
            await self._save()
        while len(self._held) > self._most and next(iter(self._held)) not in self._unsaved:
            self._held.popitem(last=False)

    async def revoke(self, partitions: set[int]) -> None:
        # All is read anew at the assignment that follows.
        for share in partitions:
            self._stored.pop(share, None)

    async def _fold(self, batch: Batch, before: Marker) -> None:
        last = dict(before.last)
        asked = self._states.features.by_entity
        entries: dict[Key, list[Entry]] = {}
        for offset, _, value in batch.records:
            try:
                routed = decode_routed(value or b"")
            except UndecodableError as error:
                place = Position(ENTITIES.name, batch.partition, offset)
                await self._dead_letter(place, value or b"", str(error))
                continue
            if routed.joins(last):
                last[routed.source] = routed.last
                for key, at, event in entries_of(routed):
                    if key[0] in asked:
                        entries.setdefault(key, []).append((routed.source, at, event))
        await self._load(entries)
        for key, news in entries.items():
            try:
                changed = self._fold_entity(key, news)
            except _UNFOLDABLE:
                changed = await self._fold_carefully(key, [*self._unsaved.get(key, ()), *news])
            if changed:
                self._unsaved.setdefault(key, []).extend(news)
        self._reached[batch.partition] = Marker(batch.next, last)

    def _fold_entity(self, key: Key, news: list[Entry]) -> bool:
        """False where the state knew all of this already."""
        state = self._held[key]
        changed = False
        for source, offset, event in news:
            changed |= state.fold(source, offset, event)
        return changed

    async def _fold_carefully(self, key: Key, entries: list[Entry]) -> bool:
        """From the stored state on, setting aside each event that cannot be folded or kept."""
        (state,) = await asyncio.to_thread(self._states.load, [key])
        before = state.version.copy()
        for source, offset, event in entries:
            trial = state.copy()
            try:
                trial.fold(source, offset, event)
                trial.to_bytes()
            except _UNFOLDABLE as error:
                place = Position(TRANSACTIONS.name, source, offset)
                what = f"not foldable into {key[0]} {key[1]!r}: {type(error).__name__}: {error}"
                await self._dead_letter(place, repr(event).encode(), what)
                state.version[source] = max(offset, state.version.get(source, -1))
            else:
                state = trial
        self._held[key] = state
        return state.version != before

    async def _save(self) -> None:
        _settle([self._held[key] for key in self._unsaved])
        states = []
        for key, entries in self._unsaved.items():
            try:
                encoded = self._held[key].to_bytes()
            except _UNFOLDABLE:
                await self._fold_carefully(key, entries)
                encoded = self._held[key].to_bytes()
            states.append((self._held[key], encoded))
        if states:
            await asyncio.to_thread(self._states.save, states)
        self._unsaved.clear()
        for share, stored in self._stored.items():
            reached = self._reached[share]
            if reached != (stored or Marker()):
                await asyncio.to_thread(self._states.mark_all, [(share, stored, reached)])
                self._stored[share] = reached
                await self._rebuilds.advance(share, reached)
        self._saved_at = time.monotonic()

    async def _load(self, keys: Mapping[Key, object]) -> None:
        missing = []
        for key in keys:
            if key in self._held:
                self._held.move_to_end(key)
            else:
                missing.append(key)
        if missing:
            loaded = await asyncio.to_thread(self._states.load, missing)
            self._held.update(zip(missing, loaded, strict=True))


def _settle(states: Sequence[EntityState]) -> None:
    """Folds what is pending in all of them, in one go for each kind of entity."""
    by_entity: dict[Entity, list[EntityState]] = {}
    for state in states:
        by_entity.setdefault(state.entity, []).append(state)
    for entity, group in by_entity.items():
        pending = [state.pending for state in group]
        owners = [at for at, (_, rows) in enumerate(pending) for _ in rows]
        rows = np.array([row for _, rows in pending for row in rows], dtype=np.int64)
        try:
            made = fold_states(
                group[0].features,
                entity,
                [data for data, _ in pending],
                np.array(owners, dtype=np.int64),
                rows.reshape(len(owners), WIDTH),
            )
        except IntegrityError:
            # One of them is damaged: each by itself tells which.
            continue
        for state, data in zip(group, made, strict=True):
            state.settle(data)
