"""Client of the API: asks, waits, and asks again under the same id as the field does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from commands import (
    Context,
    ScoreTransaction,
    SubmitTransaction,
    label_transaction,
    score_transaction,
    submit_transaction,
)
from commands.labels.label import label_id, parse_label, to_payload, without_cards
from commands.labels.retry import keep_early_label
from domain.errors import ConflictError, NotFoundError, RetraceError, UnavailableError
from eventlog.port import InboxLog
from eventlog.topics import Topic
from faults.audit.evidence import Answer
from faults.installation.deciding import DEAD_LETTER_KEY, cleaner
from faults.installation.installation import Installation
from faults.loop.clock import wall_clock

T = TypeVar("T")
_TIMEOUT_SECONDS = 10.0
_TRIES = 25
_HOP = 0.003


class Client:
    """Every request goes to a process chosen by the seed, until it is answered or given up."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._loop = installation.servers.loop
        self._trouble = installation.servers.trouble
        self._now = wall_clock(self._loop)
        self.answers: list[Answer] = []
        # Requests that were given up, or answered with what no client can use.
        self.failed: list[str] = []
        # A retry gets what was decided for the first of them.
        self._first_sent: dict[str, int] = {}
        # Of a log that is lost nothing is promised.
        installation.on_new_log += [self.answers.clear, self.failed.clear, self._first_sent.clear]

    async def score(self, payload: dict[str, Any], tries: int = _TRIES) -> None:
        """A client that gives up after fewer `tries` never comes back."""

        async def ask(context: Context) -> Any:
            command = ScoreTransaction(payload=payload, raw=None)
            return await score_transaction(command, context)

        name, digest = payload["transaction_id"], self._digest(payload)
        await self._until_answered(name, ask, _scored, digest, tries=tries)

    async def submit(self, payload: dict[str, Any]) -> None:
        async def ask(context: Context) -> Any:
            command = SubmitTransaction(payload=payload, raw=None, mode="submit")
            return await submit_transaction(command, context)

        await self._until_answered(
            payload["transaction_id"],
            ask,
            lambda receipt: {"kind": "submitted", "duplicate": receipt.recorded},
            self._digest(payload),
        )

    async def label(self, payload: dict[str, Any], api: str | None = None) -> None:
        async def ask(context: Context) -> Any:
            command = without_cards(parse_label(payload), context.cleaner)
            try:
                return await label_transaction(command, context)
            except NotFoundError as error:
                keep = keep_early_label(DEAD_LETTER_KEY, context)
                await keep(to_payload(command), str(error))
                return label_id(command)

        await self._until_answered(payload["transaction_id"], ask, _labelled, api=api)

    async def produce(
        self,
        log: InboxLog,
        topic: Topic,
        transaction_id: str,
        value: bytes,
        partition: int | None = None,
    ) -> None:
        """As a foreign producer writes: again, until it is acknowledged."""
        self._first_sent.setdefault(transaction_id, self._now())
        while True:
            try:
                await log.append_bytes(topic, None, value, partition)
                return
            except UnavailableError:
                await asyncio.sleep(1.0)

    async def _until_answered(
        self,
        transaction_id: str,
        ask: Callable[[Context], Awaitable[T]],
        answer: Callable[[Any], dict[str, Any]],
        digest: str | None = None,
        api: str | None = None,
        tries: int = _TRIES,
    ) -> None:
        """`digest` is that of what is sent, as the client itself makes it."""
        for attempt in range(tries):
            sent = self._first_sent.setdefault(transaction_id, self._now())
            try:
                found = await self._asked(transaction_id, ask, api)
            except (UnavailableError, ConnectionError, TimeoutError):
                self._told(transaction_id, sent, {"kind": "unavailable"})
                await asyncio.sleep(min(5.0, 0.5 * (attempt + 1)) * self._loop.chance.random())
            except ConflictError:
                self._told(transaction_id, sent, {"kind": "refused", "digest": digest})
                return
            except RetraceError as error:
                self.failed.append(f"{transaction_id}: {type(error).__name__}: {error}")
                return
            else:
                self._told(transaction_id, sent, answer(found) | {"digest": digest})
                return
        if tries == _TRIES:
            self.failed.append(f"{transaction_id}: asked {tries} times and never answered")

    async def _asked(
        self, about: str, ask: Callable[[Context], Awaitable[T]], api: str | None
    ) -> T:
        await asyncio.sleep(self._trouble.delay(_HOP))
        serving = self._installation.serving()
        if not serving or (api is not None and api not in serving):
            raise ConnectionError("no API listens")
        chosen = api or self._loop.chance.choice(serving)
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            found = await self._installation.request(chosen, about, ask)
        if self._trouble.answer_is_lost():
            raise ConnectionError("the connection was lost")
        await asyncio.sleep(self._trouble.delay(_HOP))
        return found

    def _digest(self, payload: dict[str, Any]) -> str:
        return cleaner().digest(cleaner().clean(payload, self._now()))

    def _told(self, transaction_id: str, sent: int, told: dict[str, Any]) -> None:
        self.answers.append(
            Answer(transaction_id=transaction_id, sent=sent, at=self._now(), **told)
        )


def _scored(decision: Any) -> dict[str, Any]:
    return {"kind": "scored", "decision": decision}


def _labelled(receipt: Any) -> dict[str, Any]:
    if isinstance(receipt, str):
        # Parked: it will be recorded, or is there already.
        return {"kind": "label", "label_id": receipt, "duplicate": True}
    return {"kind": "label", "label_id": receipt.label_id, "duplicate": receipt.duplicate}
