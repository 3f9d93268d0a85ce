"""Inbox agent: submits the transactions that other producers wrote to `inbox.*` topics.

The inbox is not the log: a record that is read twice is the same submission both times.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from commands.intake.payload import MalformedPayloadError
from commands.intake.wrappings import shape_of, unwrapped
from domain.errors import RetraceError, UnavailableError
from eventlog.admission.first_wins import KeptMemory
from eventlog.batch import Batch

Submit = Callable[[bytes], Awaitable[object]]
SetAside = Callable[[str, int, int, RetraceError, bytes], Awaitable[object]]

_AT_ONCE = 200


class InboxAgent:
    """`submit` cleans and appends one record; a record that it rejects goes to `set_aside`.

    The position is committed once every record of the batch is durable in one of the two. With
    `unwrap`, the row within a schema-registry prefix or a change-data envelope is submitted.
    """

    def __init__(
        self, positions: KeptMemory, submit: Submit, set_aside: SetAside, unwrap: bool = False
    ) -> None:
        self._positions, self._submit, self._set_aside = positions, submit, set_aside
        self._unwrap = unwrap

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        return self._positions.starts(partitions)

    async def handle(self, batches: Sequence[Batch]) -> None:
        records = [
            (batch, offset, value) for batch in batches for offset, _, value in batch.records
        ]
        for start in range(0, len(records), _AT_ONCE):
            await asyncio.gather(*(self._take(*each) for each in records[start : start + _AT_ONCE]))
        self._positions.commit({batch.partition: batch.next for batch in batches})

    async def revoke(self, partitions: set[int]) -> None:  # noqa: ARG002
        return

    async def _take(self, batch: Batch, offset: int, value: bytes | None) -> None:
        try:
            await self._submit(unwrapped(value) if self._unwrap else value or b"")
        except UnavailableError:
            raise
        except RetraceError as error:
            shape = None if self._unwrap else shape_of(value)
            told = MalformedPayloadError("value", shape) if shape else error
            await self._set_aside(batch.topic, batch.partition, offset, told, value or b"")
