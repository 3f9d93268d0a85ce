"""Transport of Faust in batches: one message per fetched batch of a partition.

A Faust message costs two or three asyncio tasks, whatever it carries; so it carries a batch.
Positions come from `BatchApp.starts`, asked on each assignment: Faust's own commits only show lag
to other tools, and nothing resumes from them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiokafka
import faust
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError
from faust.serializers.schemas import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from eventlog.batch import Batch

Positions = Mapping[tuple[str, int], int]
Starts = Callable[[set[tuple[str, int]]], Awaitable[Positions]]


class BatchSchema(Schema):  # type: ignore[misc]
    """Passes the batch through."""

    def loads_key(self, _app: Any, message: Any, **_: Any) -> Any:
        return message.key

    def loads_value(self, _app: Any, message: Any, **_: Any) -> Any:
        return message.value


class BatchConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The aiokafka consumer, with its settings written out."""

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
            # A partition that was drained is not fetched before the fetch under way returns, so
            # this is the latency of a quiet topic.
            fetch_max_wait_ms=self.app.fetch_wait_ms,
            request_timeout_ms=40_000,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            metadata_max_age_ms=60_000,
        )


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer, yielding batches and starting where the projection says."""

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(
        self,
        timeout: float,  # noqa: ASYNC109 (the name is Faust's)
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """At most one message per partition: its batch, under the offset of its last record."""
        # Taken before the fetch: one that spans a rebalance holds records from an old position.
        generation = self.app.consumer_generation_id
        try:
            fetched, active = await self._wait_next_records(timeout)
        except ConsumerStoppedError:
            if not self.app.should_stop:
                raise
            return
        for tp, records in (fetched or {}).items():
            current = self.flow_active and generation == self.app.consumer_generation_id
            if self.should_stop or not current:
                return
            wanted = active is None or tp in active or tp in self._buffered_partitions
            if records and wanted:
                yield tp, self._message(tp, records)

    def _message(self, tp: TP, records: list[Any]) -> ConsumerMessage:
        last = records[-1]
        message = self._to_message(tp, last)
        end = self.highwater(tp)
        message.value = Batch(
            tp.topic,
            tp.partition,
            [(record.offset, record.key, record.value) for record in records],
            last.offset + 1 if end is None else max(end, last.offset + 1),
        )
        return message

    async def perform_seek(self) -> None:
        """Called by Faust after each rebalance, before records flow."""
        assigned = self.assignment()
        starts = await self.app.starts({(tp.topic, tp.partition) for tp in assigned})
        positions = {tp: starts[(tp.topic, tp.partition)] for tp in assigned}
        await self.seek_wait(positions)
        for tp, offset in positions.items():
            self._read_offset[tp] = offset or None
            self._committed_offset[tp] = None

    async def _add_gap(self, *_: Any) -> None:
        # Between the ends of two batches there are no gaps, only the second batch.
        return

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
    """A Faust app whose agents get batches. `starts` answers with a position per partition.

    `progressed` (monotonic seconds) is moved by a handler whose one batch may take long.
    """

    starts: Starts
    progressed: float = 0.0
    fetch_wait_ms: int = 100
    topic_prefix: str = ""
    assignor_class: Any = RoundRobinPartitionAssignor

    def hold(self, topic: str, partition: int, on: bool) -> None:
        """Stops fetching a partition, and fetches it again. Fetched records still come."""
        # Of Faust's own type: on resuming, Faust keeps the value and asserts its type later.
        tps = {TP(topic, partition)}
        if on:
            self.consumer.pause_partitions(tps)
        else:
            self.consumer.resume_partitions(tps)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)
