"""Membership in a consumer group by Faust: agents that get batches."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from faust.types import TP

from domain.errors import LogUnavailableError
from projections.faust.membership import Assigned, Consume, TopicPartition
from projections.faust.transport import BatchApp, BatchSchema

_LOOK_SECONDS = 0.2


class FaustMembership:
    """Implements projections.faust.membership.Membership."""

    def __init__(self, app: BatchApp) -> None:
        self._app = app

    def bind(self, topics: Iterable[str], assigned: Assigned, consume: Consume) -> None:
        self._app.assigned = lambda tps: assigned(frozenset((t.topic, t.partition) for t in tps))

        for topic in topics:
            self._add_agent(topic, consume)

    def _add_agent(self, topic: str, consume: Consume) -> None:
        async def take(stream: Any) -> None:
            async for batches in stream:
                await consume(batches)

        channel = self._app.topic(topic, schema=BatchSchema())
        self._app.agent(channel, name=topic, concurrency=1)(take)

    async def start(self) -> None:
        await self._app.start()

    async def stop(self) -> None:
        await self._app.stop()

    async def failed(self) -> None:
        while not self._app.crashed:  # noqa: ASYNC110 (Faust has no public event for it)
            await asyncio.sleep(_LOOK_SECONDS)
        raise self._app.crash_reason or RuntimeError("Faust has crashed")

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        try:
            await self._app.consumer.begin_at({TP(*tp): at for tp, at in positions.items()})
        except TimeoutError as error:
            raise LogUnavailableError("the Kafka consumer does not answer") from error

    def hold(self, topic: str, partition: int, on: bool) -> None:
        self._app.consumer.hold(TP(topic, partition), on)

    async def ends(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        found = await self._app.consumer.ends(TP(*tp) for tp in partitions)
        return {(tp.topic, tp.partition): end for tp, end in found.items()}
