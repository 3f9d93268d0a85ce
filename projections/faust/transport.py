"""Transport of Faust in batches: one message for all that was fetched together of a topic.

A Faust message costs two or three asyncio tasks, whatever it carries; so it carries the batches.
Where to begin after an assignment is told from outside, by `BatchConsumer.begin_at`, and may take
as long as it likes: Faust ends its recovery without a word where `perform_seek` takes longer than
its request timeout. Faust's own commits only show lag to other tools; nothing resumes from them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import aiokafka
import faust
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, IllegalStateError
from faust.serializers.schemas import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from eventlog.batch import Batch
from projections.faust.settings import GATHERING_MS

# A batch under way is finished before its partition is given away, if that is soon: the group
# waits for 30 s. After that the next owner fences it.
_REVOKE_SECONDS = 20.0
_SEEK_SECONDS = 10.0
# Without a record for so long, or for twice as long as the broker gathers, all is quiet. Then so
# many fetches are answered at once: for an event, and for the parts of what a worker appends of it
# for itself.
_QUIET_SECONDS, _AT_ONCE = 0.1, 4


class BatchSchema(Schema):  # type: ignore[misc]
    """Passes the batches through."""

    def loads_key(self, _app: Any, message: Any, **_: Any) -> Any:
        return message.key

    def loads_value(self, _app: Any, message: Any, **_: Any) -> Any:
        return message.value


class BatchConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The aiokafka consumer, with its settings written out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seeks = 0
        self._sought: dict[TP, tuple[int, int]] = {}
        self._quiet: asyncio.TimerHandle | None = None
        self._answered = 0

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = self.app.assignor_class
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self.app.assignor_class],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=None,
            # Faust polls on our behalf whether or not we keep up; the watchdog checks progress.
            max_poll_interval_ms=24 * 3_600_000,
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            # The broker gathers until there is this much or the time is over: each record on its
            # own would wake us, and cost the broker an answer.
            fetch_min_bytes=1 if self.app.first_at_once else self.app.fetch_gathered,
            fetch_max_wait_ms=GATHERING_MS if self.app.first_at_once else self.app.fetch_wait_ms,
            request_timeout_ms=40_000,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            metadata_max_age_ms=60_000,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def _seek_wait(
        self, consumer: aiokafka.AIOKafkaConsumer, partitions: Mapping[TP, int]
    ) -> None:
        self._seeks += 1
        self._sought |= {tp: (self._seeks, offset) for tp, offset in partitions.items()}
        await super()._seek_wait(consumer, partitions)

    async def _fetch_records(
        self, consumer: aiokafka.AIOKafkaConsumer, *args: Any, **kwargs: Any
    ) -> dict[TP, list[Any]]:
        """What it took of a partition that was sought meanwhile is left to the next fetch.

        After a rebalance Faust no longer waits for a fetch that was under way, and it goes on here:
        what it takes then is never handed over.
        """
        begun = self._seeks
        fetched: dict[TP, list[Any]] = await super()._fetch_records(consumer, *args, **kwargs)
        for tp in list(fetched):
            seek, offset = self._sought.get(tp, (0, 0))
            if seek > begun:
                del fetched[tp]
                with suppress(IllegalStateError):
                    consumer.seek(tp, offset)
        if fetched and self.app.first_at_once:
            self._gather(consumer)
        return fetched

    def _gather(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        """After some the broker gathers, until the topics are quiet again."""
        self._answered += 1
        if self._answered >= _AT_ONCE:
            _ask(consumer, self.app.fetch_gathered, self.app.fetch_wait_ms)
        if self._quiet is not None:
            self._quiet.cancel()
        quiet = max(_QUIET_SECONDS, 2 * self.app.fetch_wait_ms / 1000)
        self._quiet = self.thread_loop.call_later(quiet, self._listen, consumer)

    def _listen(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        self._quiet, self._answered = None, 0
        _ask(consumer, 1, GATHERING_MS)


def _ask(consumer: aiokafka.AIOKafkaConsumer, least: int, wait_ms: int) -> None:
    """Of the fetches to come: aiokafka takes these once, and reads them for each request."""
    fetcher = consumer._fetcher
    fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = least, wait_ms


class _NoOffsets(dict[TP, int | None]):
    """Stays empty: the worker checks the order of offsets, and Faust must not drop what was sought.

    Faust notes an offset once the message has found room, which may be after a seek backwards.
    """

    def __missing__(self, _tp: TP) -> None:
        return None

    def __setitem__(self, _tp: TP, _offset: int | None) -> None:
        return


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer, yielding fetches, and reading no partition before it has been sought."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoOffsets()
        self._unsought: set[TP] = set()
        self._held: set[TP] = set()
        self._read: dict[TP, int] = {}
        self._resumed = asyncio.Event()

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(
        self,
        timeout: float,  # noqa: ASYNC109 (the name is Faust's)
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """At most one message per topic: its batches, as of one of its partitions."""
        if self.flow_active and not self._get_active_partitions():
            # Faust would look again after a second, whatever is resumed meanwhile.
            self._resumed.clear()
            await self.wait_first(self._resumed.wait(), timeout=timeout)
        # Taken before the fetch: one that spans a rebalance holds records from an old position.
        generation = self.app.consumer_generation_id
        try:
            fetched, active = await self._wait_next_records(timeout)
        except ConsumerStoppedError:
            if not self.app.should_stop:
                raise
            return
        topics: dict[str, dict[TP, list[Any]]] = {}
        self._read |= {tp: found[-1].offset + 1 for tp, found in (fetched or {}).items() if found}
        for tp, records in (fetched or {}).items():
            wanted = active is None or tp in active or tp in self._buffered_partitions
            if records and wanted:
                topics.setdefault(tp.topic, {})[tp] = records
        for found in topics.values():
            current = self.flow_active and generation == self.app.consumer_generation_id
            if self.should_stop or not current:
                return
            tp, records = next(iter(found.items()))
            message = self._to_message(tp, records[-1])
            message.value = [self._batch(*each) for each in found.items()]
            yield tp, message

    def _batch(self, tp: TP, records: list[Any]) -> Batch:
        last, end = records[-1], self.highwater(tp)
        return Batch(
            tp.topic,
            tp.partition,
            [(record.offset, record.key, record.value) for record in records],
            last.offset + 1 if end is None else max(end, last.offset + 1),
        )

    async def perform_seek(self) -> None:
        """Called by Faust after each rebalance; our own seek follows the assignment."""

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._unsought, self._held = set(assigned), set()
        await super().on_partitions_assigned(assigned, generation_id)
        self.app.assigned(assigned)

    async def begin_at(self, positions: Mapping[TP, int]) -> None:
        """Reads on from there. Raises TimeoutError where the consumer's thread does not answer."""
        self._read |= positions
        try:
            async with asyncio.timeout(_SEEK_SECONDS):
                await self.seek_wait(positions)
        except IllegalStateError:
            # A rebalance has taken one of them: its assignment is told next.
            return
        for tp in positions:
            self._committed_offset[tp] = None
        self._unsought -= positions.keys()
        self.resume_partitions(positions)

    async def ends(self, tps: Iterable[TP]) -> Mapping[TP, int]:
        """One past the last record of each, as far as is known.

        Behind it may lie offsets that hold none: what ended a transaction, and what was aborted.
        The consumer steps over them without a word, and they are no records that wait.
        """
        found = {TP(*tp): end for tp, end in (await self.highwaters(*tps)).items()}
        for tp, end in found.items():
            read = self._read.get(tp, end)
            if read < end <= (await self.position(tp) or 0):
                # Not `read`: records may have come while it was asked.
                found[tp] = self._read[tp]
        return found

    def hold(self, tp: TP, on: bool) -> None:
        if on:
            self._held.add(tp)
            self.pause_partitions({tp})
        else:
            self._held.discard(tp)
            self.resume_partitions({tp})

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Faust resumes all that were assigned; those without a position are not read yet."""
        wanted = set(tps) - self._unsought - self._held
        super().resume_partitions(wanted)
        if wanted:
            self._resumed.set()

    def _new_offset(self, tp: TP) -> int | None:
        # One agent per topic, one batch at a time: what is acked last is the farthest.
        acked: list[int] = self._acked[tp]
        if not acked:
            return None
        newest = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return newest + 1


class BatchTransport(driver.Transport):  # type: ignore[misc]
    Consumer = BatchConsumer


class BatchApp(faust.App):  # type: ignore[misc]
    """A Faust app whose agents get batches; `assigned` is told the partitions at each rebalance."""

    assigned: Callable[[set[TP]], None]
    fetch_wait_ms: int
    fetch_gathered: int
    first_at_once: bool
    assignor_class: Any = RoundRobinPartitionAssignor

    async def _consumer_wait_empty(self, consumer: Any, log: Any) -> None:
        # A store that is away may hold a batch up for ever; Faust would wait as long.
        with suppress(TimeoutError):
            async with asyncio.timeout(_REVOKE_SECONDS):
                await super()._consumer_wait_empty(consumer, log)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)
