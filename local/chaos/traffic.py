"""Traffic over HTTP: payments, repeats and labels, each asked again under its id until answered."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from random import Random
from typing import Any

import orjson

from domain.errors import UnavailableError
from domain.times import from_rfc3339, to_rfc3339
from faults.audit.evidence import Answer, Shown
from host.clock import now_us
from host.processes import wait_until
from host.threads import SYSTEM
from local.demo.live.http_client import Connection

_CLIENTS = 16
_PAUSE_SECONDS = 0.25
_BUSY = (429, 503)
_CARDS, _CUSTOMERS, _MERCHANTS = 40, 40, 12
_AMOUNTS = (5, 20, 300, 700, 950)
_REPEATED, _ALTERED, _LABELLED, _SUBMITTED = 0.1, 0.03, 0.15, 0.25
_INCOMPLETE = {"stale_features", "features_rebuilding", "features_unavailable"}
_KINDS = ("fraud_report", "reversal", "chargeback", "representment")

Payload = dict[str, Any]


class Traffic:
    """`rate` payments a second, or as many as its clients get answered; `digest` is the keyed
    digest of a payload. What it was told is in `answers`; it runs in a thread of its own.

    `strange` counts answers that no client should get. `decided` is when the last decision was
    made that was made in full (microseconds).
    """

    def __init__(
        self, api_url: str, rate: float, digest: Callable[[Payload], str], chance: Random
    ) -> None:
        self._url, self._rate, self._digest, self._chance = api_url, rate, digest, chance
        self.answers: list[Answer] = []
        self.strange: Counter[str] = Counter()
        self.unavailable = 0
        self.decided = 0
        self._number = self._busy = 0
        self._next = 0.0
        self._flows = self._ends = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """The thread lives meanwhile; nothing is sent before `flow`."""
        joined = SYSTEM.start(lambda: asyncio.run(self._run()), "traffic")
        try:
            yield
        finally:
            self._ends = True
            joined(30.0)

    def flow(self) -> None:
        self._flows = True

    def stop(self, seconds: float) -> bool:
        """Sends nothing new; True once all that was sent is answered."""
        self._flows = False
        return wait_until(lambda: not self._busy, seconds)

    async def _run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(_CLIENTS)))

    async def _client(self) -> None:
        loop = asyncio.get_running_loop()
        with closing(Connection(self._url)) as connection:
            while not self._ends:
                self._next = max(self._next + 1 / self._rate, loop.time())
                await asyncio.sleep(self._next - loop.time())
                if not self._flows:
                    continue
                self._busy += 1
                try:
                    await self._pay(connection)
                finally:
                    self._busy -= 1

    async def _pay(self, connection: Connection) -> None:
        chance = self._chance
        self._number += 1
        # New cards from time to time: what was sent of one card is compared pair by pair.
        card = self._number // 1000 * _CARDS + chance.randrange(_CARDS)
        payload: Payload = {
            "transaction_id": f"chaos-{self._number}",
            "amount": chance.choice(_AMOUNTS),
            "timestamp": to_rfc3339(now_us()),
            "card_id": f"card-{card}",
            "customer_id": f"customer-{chance.randrange(_CUSTOMERS)}",
            "merchant_id": f"shop-{chance.randrange(_MERCHANTS)}",
        }
        submitted = chance.random() < _SUBMITTED
        await self._ask(connection, "/transactions" if submitted else "/score", payload)
        if chance.random() < _REPEATED:
            await self._ask(connection, "/score", payload)
        if chance.random() < _ALTERED:
            await self._ask(connection, "/score", payload | {"amount": 1})
        if chance.random() < _LABELLED:
            for _ in range(chance.randint(1, 3)):
                label = {"kind": chance.choice(_KINDS), "reporter": "bank"}
                named = {"transaction_id": payload["transaction_id"]}
                await self._ask(connection, "/labels", named | label)

    async def _ask(self, connection: Connection, path: str, payload: Payload) -> None:
        first, body = now_us(), orjson.dumps(payload)
        digest = None if path == "/labels" else self._digest(payload)
        while not self._ends:
            try:
                status, content = await connection.post(path, body)
            except UnavailableError:
                self.unavailable += 1
            else:
                if status not in _BUSY:
                    self._told(path, payload["transaction_id"], first, digest, status, content)
                    return
                self.unavailable += 1
            await asyncio.sleep(_PAUSE_SECONDS * (1 + self._chance.random()))

    def _told(
        self, path: str, name: str, sent: int, digest: str | None, status: int, content: bytes
    ) -> None:
        told: dict[str, Any]
        if status == 409:
            told = {"kind": "refused"}
        elif not 200 <= status < 300:
            self.strange[f"{path} answered {status}: {content[:200].decode(errors='replace')}"] += 1
            return
        elif path == "/score":
            shown = _shown(orjson.loads(content))
            if shown.path == "full" and not _INCOMPLETE & set(shown.flags):
                self.decided = max(self.decided, shown.known_time)
            told = {"kind": "scored", "shown": shown}
        elif path == "/transactions":
            told = {"kind": "submitted", "duplicate": orjson.loads(content)["recorded"]}
        else:
            label = orjson.loads(content)
            duplicate = label["status"] != "recorded"
            told = {"kind": "label", "label_id": label["label_id"], "duplicate": duplicate}
        self.answers.append(
            Answer(transaction_id=name, sent=sent, at=now_us(), digest=digest, **told)
        )


def _shown(answer: Payload) -> Shown:
    return Shown(
        score=answer["score"],
        outcome=answer["outcome"],
        reasons=tuple(reason["code"] for reason in answer["reasons"]),
        path=answer["path"],
        flags=tuple(answer["flags"]),
        model_id=answer["model_id"],
        policy_version=answer["policy_version"],
        known_time=from_rfc3339(answer["decided_at"]),
    )
