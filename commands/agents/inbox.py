"""Inbox agent: submits the transactions that other producers wrote to `inbox.*` topics.

The inbox is not the log: a record that is read twice is the same submission both times. Any
partition of it holds any id, so each process reads all of it, and takes what is of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from commands.intake.payload import MalformedPayloadError, parse_payload, transaction_id_of
from commands.intake.wrappings import shape_of, unwrapped
from domain.errors import RetraceError, UnavailableError
from eventlog.admission.first_wins import KeptMemory
from eventlog.batch import Batch
from eventlog.topics import INBOX_TRANSACTIONS

Submit = Callable[[bytes], Awaitable[object]]
SetAside = Callable[[str, int, int, RetraceError, bytes], Awaitable[object]]
PartitionOf = Callable[[str], int]
"""The partition of TRANSACTIONS to which an id belongs."""

_AT_ONCE = 200
_Lane = tuple[int, int]
"""A partition of the inbox, and one of TRANSACTIONS."""


class InboxAgent:
    """`submit` cleans and appends one record; a record that it rejects goes to `set_aside`.

    `ours` tells the partitions of TRANSACTIONS that are ours, and is asked at each assignment. For
    each of them there is a position in each partition of the inbox, committed once every record of
    the batch is durable in one of the two: who gains one reads the inbox again for it alone. With
    `unwrap`, the row within a schema-registry prefix or a change-data envelope is submitted.
    """

    def __init__(
        self,
        positions: KeptMemory,
        submit: Submit,
        set_aside: SetAside,
        ours: Callable[[], Collection[int]],
        partition_of: PartitionOf,
        unwrap: bool = False,
    ) -> None:
        self._positions, self._submit, self._set_aside = positions, submit, set_aside
        self._ours, self._partition_of, self._unwrap = ours, partition_of, unwrap
        self._starts: dict[_Lane, int] = {}

    async def assign(self, partitions: set[int]) -> Mapping[int, int]:
        kept, ours = self._positions.positions(), self._ours()
        self._starts = {
            # Before there was a position for each, there was one for all of them.
            (inbox, own): kept.get(_key((inbox, own)), kept.get(inbox, 0))
            for inbox in partitions
            for own in ours
        }
        # Who has none of TRANSACTIONS reads nothing.
        return {
            inbox: min(self._starts[inbox, own] for own in ours) for inbox in partitions if ours
        }

    async def handle(self, batches: Sequence[Batch]) -> None:
        records = [
            (batch, offset, value)
            for batch in batches
            for offset, _, value in batch.records
            if self._is_ours(batch, offset, value)
        ]
        for start in range(0, len(records), _AT_ONCE):
            await asyncio.gather(*(self._take(*each) for each in records[start : start + _AT_ONCE]))
        done = {batch.partition: batch.next for batch in batches}
        reached = {
            lane: max(start, done[lane[0]])
            for lane, start in self._starts.items()
            if lane[0] in done
        }
        self._positions.commit({_key(lane): at for lane, at in reached.items()})
        self._starts |= reached

    async def revoke(self, partitions: set[int]) -> None:  # noqa: ARG002
        return

    def _is_ours(self, batch: Batch, offset: int, value: bytes | None) -> bool:
        # What names no id is set aside by one of us all the same.
        named = self._named(value) or f"{batch.partition}/{offset}"
        start = self._starts.get((batch.partition, self._partition_of(named)))
        return start is not None and start <= offset

    def _named(self, value: bytes | None) -> str | None:
        try:
            payload, _ = parse_payload(unwrapped(value) if self._unwrap else value or b"")
        except RetraceError:
            return None
        return transaction_id_of(payload)

    async def _take(self, batch: Batch, offset: int, value: bytes | None) -> None:
        try:
            await self._submit(unwrapped(value) if self._unwrap else value or b"")
        except UnavailableError:
            raise
        except RetraceError as error:
            shape = None if self._unwrap else shape_of(value)
            told = MalformedPayloadError("value", shape) if shape else error
            await self._set_aside(batch.topic, batch.partition, offset, told, value or b"")


def _key(lane: _Lane) -> int:
    inbox, own = lane
    return INBOX_TRANSACTIONS.partitions * (own + 1) + inbox
