"""Traffic: payments, repeats, labels, imports and inbox records, all by the seed."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from commands.imports.facts import Facts
from domain.errors import UnavailableError
from domain.times import HOUR, SECOND, to_rfc3339
from eventlog.topics import ALERTS, DEAD_LETTERS, ENTITIES, INBOX_TRANSACTIONS, TRANSACTIONS, Topic
from faults.clients.client import Client
from faults.installation.deciding import cleaner
from faults.installation.installation import Installation
from faults.loop.clock import wall_clock
from faults.loop.process import Process
from faults.servers.kafka_client import SimulatedLog

_DECIDED_SECONDS = 20.0
_LABELLED_SECONDS = 2 * 86_400.0
_REFERENCED = 0.3  # of labels
_GARBLED = TRANSACTIONS, TRANSACTIONS, ALERTS, ENTITIES, DEAD_LETTERS


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of what is sent over how many seconds. `hot` is the share of one merchant.

    Other shares are of payments: `conflicting` are sent with two contents at the same moment,
    `followed` by another of the same card as soon as they are answered, asked `once` and never
    again; beside `garbled` somebody writes a record to a topic of ours that nobody can read.
    """

    payments: int = 30
    seconds: float = 20.0
    cards: int = 4
    merchants: int = 3
    hot: float = 0.2
    repeated: float = 0.15
    altered: float = 0.05
    conflicting: float = 0.08
    followed: float = 0.1
    once: float = 0.0
    submitted: float = 0.2
    by_inbox: float = 0.15
    unreadable: float = 0.05
    garbled: float = 0.05
    labelled: float = 0.3
    imported: int = 0
    rehearsed: int = 0


class Traffic:
    """Sends `amounts` from now on; done when everything was sent and answered."""

    def __init__(self, installation: Installation, amounts: Amounts) -> None:
        self._installation, self._amounts = installation, amounts
        self._loop = installation.servers.loop
        self._chance: Random = self._loop.chance
        self._now = wall_clock(self._loop)
        self.client = Client(installation)
        # Its producer lives as long as the simulation.
        outside = Process("producer", "elsewhere")
        self._log = SimulatedLog(installation.servers.cluster, outside)
        self._sent: list[dict[str, Any]] = []

    async def run(self) -> None:
        amounts, sent = self._amounts, []
        for number in range(amounts.payments):
            at = self._chance.uniform(0, amounts.seconds)
            sent.append(self._later(at, lambda n=number: self._pay(n)))  # type: ignore[misc]
        imported = (False, amounts.imported, "old"), (True, amounts.rehearsed, "rehearsed")
        for each in imported:
            if each[1]:
                at = self._chance.uniform(0, amounts.seconds)
                sent.append(self._later(at, partial(self._import, *each)))
        await asyncio.gather(*sent)

    async def everything_again(self) -> None:
        """Each payment that was sent, as it was: a client that lost all its answers."""
        for payload in self._sent:
            await self.client.score(payload)

    async def after_the_horizon(self) -> None:
        """Ids of before with other content, their decisions, and their labels again."""
        # In those days everything was decided.
        await asyncio.sleep(_DECIDED_SECONDS)
        self._loop.skipped += 401 * 86_400
        for payload in self._sent[:8]:
            again = payload | {"amount": 42, "timestamp": to_rfc3339(self._now())}
            await self.client.score(again)
            await self._label(payload["transaction_id"])

    async def import_at_last(self) -> None:
        """After the last payment, whose own vector is wrong then."""
        await asyncio.sleep(_DECIDED_SECONDS)
        await self.client.score(self._payment(0) | {"transaction_id": "last"})
        await asyncio.sleep(_DECIDED_SECONDS)
        await self._import(False, 8, "oldest")

    async def labels_cross(self, apis: Sequence[str]) -> None:
        """Report, reversal, report under default references, each taken by the next API."""
        for payload in self._sent[:8]:
            for turn, kind in enumerate(("fraud_report", "reversal", "fraud_report")):
                label = {
                    "transaction_id": payload["transaction_id"],
                    "kind": kind,
                    "reporter": "bank",
                }
                await self.client.label(label, apis[turn % len(apis)])
                await asyncio.sleep(self._chance.uniform(0, 1))
        # Labels count from the end of their day on.
        self._loop.skipped += _LABELLED_SECONDS
        for number in range(8):
            payload = self._payment(number)
            await self.client.score(payload | {"transaction_id": f"later-{number}"})

    async def _later(self, seconds: float, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await asyncio.sleep(seconds)
        await make()

    def _payment(self, number: int) -> dict[str, Any]:
        chance, amounts = self._chance, self._amounts
        merchant = 0 if chance.random() < amounts.hot else chance.randrange(amounts.merchants)
        return {
            "transaction_id": f"t-{number}",
            "amount": chance.choice((5, 20, 300, 700, 950)),
            "timestamp": to_rfc3339(self._now() - chance.randrange(5) * SECOND),
            "card_id": f"card-{chance.randrange(amounts.cards)}",
            "customer_id": f"customer-{chance.randrange(amounts.cards)}",
            "merchant_id": f"merchant-{merchant}",
        }

    async def _pay(self, number: int) -> None:
        chance, amounts = self._chance, self._amounts
        payload = self._payment(number)
        self._sent.append(payload)
        if chance.random() < amounts.labelled / 3:
            await self._label(payload["transaction_id"])
        if amounts.once and chance.random() < amounts.once:
            await self.client.score(payload, tries=1)
            return
        if chance.random() < amounts.by_inbox:
            await self._produce(payload)
        if chance.random() < amounts.garbled:
            await self._garble(chance.choice(_GARBLED))
        send = self.client.submit if chance.random() < amounts.submitted else self.client.score
        if chance.random() < amounts.conflicting:
            self._installation.servers.trouble.met["two contents at once"] += 1
            other = payload | {"amount": 940}
            await asyncio.gather(send(payload), self.client.score(other), self._produce(other))
        else:
            await send(payload)
        if chance.random() < amounts.followed:
            name = f"{payload['transaction_id']}-next"
            following = payload | {"transaction_id": name, "timestamp": to_rfc3339(self._now())}
            await self.client.score(following)
        if chance.random() < amounts.repeated:
            await asyncio.sleep(chance.uniform(0, 3))
            await self.client.score(payload)
        if chance.random() < amounts.altered:
            await self.client.score(payload | {"amount": 1})
        if chance.random() < amounts.labelled:
            await asyncio.sleep(chance.uniform(0, 5))
            for _ in range(chance.randint(1, 3)):
                await self._label(payload["transaction_id"])

    async def _label(self, transaction_id: str) -> None:
        kind = self._chance.choice(("fraud_report", "reversal", "chargeback", "representment"))
        label = {"transaction_id": transaction_id, "kind": kind, "reporter": "bank"}
        if self._chance.random() < _REFERENCED:
            # Two desks report one case.
            label["reference"] = kind
            await asyncio.gather(self.client.label(label), self.client.label(label))
        else:
            await self.client.label(label)

    async def _produce(self, payload: dict[str, Any]) -> None:
        if self._chance.random() < self._amounts.unreadable:
            await self.client.produce(self._log, INBOX_TRANSACTIONS, "none", b"{not json")
        value = json.dumps(payload).encode()
        await self.client.produce(self._log, INBOX_TRANSACTIONS, payload["transaction_id"], value)

    async def _garble(self, topic: Topic) -> None:
        self._installation.servers.trouble.met["record nobody can read"] += 1
        number = self._chance.randrange(topic.partitions)
        await self.client.produce(self._log, topic, "none", b"{no event", number)

    async def _import(self, score: bool, many: int, name: str) -> None:
        """Older history, with its own known times; to be decided, if it is a rehearsal."""
        facts = Facts(source="import", origin="old.csv", correlation_id="import", score=score)
        for number in range(many):
            payload = self._payment(number) | {"transaction_id": f"{name}-{number}"}
            at = self._now() - HOUR - number * SECOND
            transaction = cleaner().clean(payload | {"timestamp": to_rfc3339(at)}, self._now())
            digest = cleaner().digest(transaction)
            fact = facts.of_transactions([transaction], [digest], [number])[0]
            while True:
                try:
                    await self._log.append(TRANSACTIONS, fact.subject, fact)
                    break
                except UnavailableError:
                    await asyncio.sleep(1.0)
