"""Composition of ownership: which API process answers for which transactions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.serving.forwarding import Forwarding
from commands import Context
from eventlog.adapters.kafka_members import KafkaMembers
from eventlog.ownership.ownership import Ownership
from runtime.settings import Settings


@asynccontextmanager
async def open_sharing(settings: Settings, context: Context) -> AsyncIterator[Forwarding]:
    """This process among those of the API, once all that became its own is known to it."""
    url = settings.member_url
    members = KafkaMembers(settings.kafka(), url)
    ownership = Ownership(context.log, context.ledger, members, url)
    ownership.start()
    forwarding = Forwarding(ownership)
    try:
        await ownership.settled()
        yield forwarding
    finally:
        await ownership.close()
        await forwarding.close()
