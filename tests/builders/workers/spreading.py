"""A spread to ENTITIES, as a worker has it: closed at the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from eventlog.adapters.kafka_spread import Spread
from eventlog.settings import KafkaSettings
from eventlog.topics import ENTITIES


@asynccontextmanager
async def spread_to(settings: KafkaSettings) -> AsyncIterator[Spread]:
    spread = Spread(settings, ENTITIES)
    kept = asyncio.ensure_future(spread.kept())
    await asyncio.sleep(0)
    try:
        yield spread
    finally:
        kept.cancel()
        with suppress(asyncio.CancelledError):
            await kept
