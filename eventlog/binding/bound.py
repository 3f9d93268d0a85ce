"""Stores that are bound to their log, and the check that the log is still that one.

Offsets say nothing of the log that they count: on one that was created anew they would be gone on
from in silence. Kafka gives a topic a random id when it is created (KIP-516), so each store keeps
the ids of the topics that it was made from.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from domain.errors import IntegrityError, UnavailableError
from eventlog.topics import FOREVER, TOPICS

LOG = tuple(topic for topic in TOPICS if topic.retention_us == FOREVER)
WATCH_SECONDS = 5.0

TopicIds = Mapping[str, str]
"""By name of a topic of the log the id that it was created with; one that is missing has none."""


class IdentifiedLog(Protocol):
    async def ids(self) -> TopicIds:
        """Of the topics of `LOG` that exist. Raises LogUnavailableError."""
        ...


class BoundStore(Protocol):
    """What was made from the log, with the ids of its topics. Blocking; safe when two bind it."""

    @property
    def place(self) -> str:
        """What and where it is, for people: "the online states in ..."."""
        ...

    @property
    def remedy(self) -> str:
        """What to do where its log is lost: "empty ..."."""
        ...

    def bound(self, ids: TopicIds) -> TopicIds:
        """Keeps each id whose topic has none here yet; returns all that it keeps.

        Raises UnavailableError.
        """
        ...


async def bind(log: IdentifiedLog, *stores: BoundStore) -> None:
    """Binds what is not bound yet. Raises UnavailableError, and IntegrityError for another log."""
    ids = await log.ids()
    for store in stores:
        await asyncio.to_thread(bind_to, ids, store)


def bind_to(ids: TopicIds, store: BoundStore) -> None:
    """As `bind`. Blocking."""
    # Asked first: one of another log is left as it is.
    check_bound(ids, store)
    _refuse_others(store, store.bound(ids), ids)


def check_bound(ids: TopicIds, store: BoundStore) -> None:
    """Raises as `bind`, and binds nothing. Blocking."""
    _refuse_others(store, store.bound({}), ids)


async def keep_bound(log: IdentifiedLog, stores: Sequence[BoundStore]) -> None:
    """Looks again and again, for ever; a server that is away is asked later.

    Raises IntegrityError once a topic was created anew, or deleted.
    """
    while True:
        with suppress(UnavailableError):
            ids = await log.ids()
            for store in stores:
                with suppress(UnavailableError):
                    await asyncio.to_thread(bind_to, ids, store)
        await asyncio.sleep(WATCH_SECONDS)


def _refuse_others(store: BoundStore, held: TopicIds, ids: TopicIds) -> None:
    for topic in LOG:
        before, now = held.get(topic.name), ids.get(topic.name)
        if before not in (None, now):
            raise IntegrityError(
                f"{store.place} was made from another log: its topic {topic.name} had the id "
                f"{before}, and Kafka has {f'the id {now}' if now else 'none'}. Set "
                "KAFKA_BOOTSTRAP_SERVERS to the Kafka that it was made from; where that "
                f"log is lost for ever, {store.remedy}, and it is made anew from this one"
            )
