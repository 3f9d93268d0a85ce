"""Batch handler around a BatchProjection: check, project in a thread, dead-letter what fails."""

import asyncio
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace

from eventlog.batch import Batch
from eventlog.port import Position
from projections.faust.admission import DeadLetter, RecordAdmission, since
from projections.ports import BatchProjection, CheckedRecord, UnfoldableError


class ProjectionHandler:
    """A BatchHandler around one projection, which is called from one thread at a time.

    `assigned` is called with the partitions that this worker has from now on.
    """

    def __init__(
        self,
        projection: BatchProjection,
        admission: RecordAdmission,
        dead_letter: DeadLetter,
        assigned: Callable[[set[int]], None] = lambda _: None,
    ) -> None:
        self._projection, self._admission, self._dead_letter = projection, admission, dead_letter
        self._assigned = assigned
        self._next: dict[int, int] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        self._next = {
            partition: await asyncio.to_thread(self._projection.assign, partition)
            for partition in sorted(partitions)
        }
        self._assigned(partitions)
        remembered = self._admission.open(partitions, {p for p, at in self._next.items() if not at})
        return {p: min(at, remembered.get(p, at)) for p, at in self._next.items()}

    async def handle(self, batches: Sequence[Batch]) -> None:
        fresh: dict[int, list[CheckedRecord]] = {}
        for batch in batches:
            checked = await self._admission.check(batch)
            start = self._next[batch.partition]
            if batch.next > start:
                fresh[batch.partition] = since(checked, start)
        if fresh:
            await self._project(batches, fresh)
        for batch in batches:
            self._next[batch.partition] = max(batch.next, self._next[batch.partition])
        self._admission.commit(batches)

    async def revoke(self, partitions: set[int]) -> None:
        for partition in partitions:
            self._next.pop(partition, None)
            await asyncio.to_thread(self._projection.revoke, partition)

    async def _project(
        self, batches: Sequence[Batch], fresh: Mapping[int, Sequence[CheckedRecord]]
    ) -> None:
        while True:
            try:
                await asyncio.to_thread(self._projection.project, fresh)
                return
            except UnfoldableError as error:
                await self._set_aside(batches, error.reasons)
                fresh = {p: _without(each, error.reasons) for p, each in fresh.items()}

    async def _set_aside(self, batches: Sequence[Batch], reasons: Mapping[Position, str]) -> None:
        values = {
            (batch.partition, offset): value or b""
            for batch in batches
            for offset, _, value in batch.records
        }
        for place, reason in reasons.items():
            await self._dead_letter(place, values[place.partition, place.offset], reason)


def _without(checked: Sequence[CheckedRecord], refused: Container[Position]) -> list[CheckedRecord]:
    """The same, those that are refused as dead."""
    return [replace(each, status="dead") if each.position in refused else each for each in checked]
