"""Batch handler around a BatchProjection: check, project in a thread, dead-letter what fails."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from eventlog.batch import Batch
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

    async def handle(self, batch: Batch) -> None:
        checked = await self._admission.check(batch)
        start = self._next[batch.partition]
        if batch.next > start:
            await self._project(batch, since(checked, start))
            self._next[batch.partition] = batch.next
        self._admission.commit(batch)

    async def revoke(self, partitions: set[int]) -> None:
        for partition in partitions:
            self._next.pop(partition, None)
            await asyncio.to_thread(self._projection.revoke, partition)

    async def _project(self, batch: Batch, checked: Sequence[CheckedRecord]) -> None:
        while True:
            try:
                await asyncio.to_thread(self._projection.project, batch.partition, checked)
                return
            except UnfoldableError as error:
                checked = await self._set_aside(batch, checked, error.reasons)

    async def _set_aside(
        self, batch: Batch, checked: Sequence[CheckedRecord], reasons: Mapping[int, str]
    ) -> list[CheckedRecord]:
        values = {offset: value or b"" for offset, _, value in batch.records}
        positions = {each.position.offset: each.position for each in checked}
        for offset, reason in reasons.items():
            await self._dead_letter(positions[offset], values[offset], reason)
        return [
            replace(each, status="dead") if each.position.offset in reasons else each
            for each in checked
        ]
