"""More than the machine can decide: what is not taken is told so, and the system comes back."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from random import Random
from typing import Any

from bench.live.load import Generator, Offered
from tests.e2e.stack import RunningStack, body, eventually

RATE, SECONDS = 1_500.0, 4.0


def bodies() -> Iterator[bytes]:
    for number in count():
        yield body(f"over-{number}", card_id=f"over-card-{number % 50}").encode()


async def offered(url: str, answers: dict[str, Any]) -> Offered:
    def told(answer: Any) -> list[str]:
        answers[answer["transaction_id"]] = answer
        return []

    with closing(Generator(url, "/score", bodies(), told)) as load:
        return await load.offer(RATE, SECONDS, Random(1))


def test_an_overload_is_told_loses_nothing_and_passes(stack: RunningStack) -> None:
    answers: dict[str, Any] = {}
    found = asyncio.run(offered(stack.status()["api_url"], answers))
    assert found.requests > 5_000
    # Told at once, or never sent: nobody was kept waiting for nothing.
    refused = {name for name in found.failed if not name.startswith("more than")}
    assert refused == {"http 503"}
    assert answers
    with stack.client() as client:

        def decided(number: int) -> dict[str, Any]:
            sent = body(f"after-{number}", card_id=f"after-card-{number}")
            answer = client.post("/score", content=sent)
            decision: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
            return decision

        def unflagged(decision: dict[str, Any]) -> bool:
            return decision.get("path") == "full" and "stale_features" not in decision["flags"]

        numbers = count()
        eventually(lambda: all(unflagged(decided(next(numbers))) for _ in range(20)), within=60)
        # What was answered is what counts, and what was refused is decided when it comes again.
        for number in range(0, found.requests, found.requests // 50):
            sent = body(f"over-{number}", card_id=f"over-card-{number % 50}")
            again = client.post("/score", content=sent)
            assert again.status_code == 200
            assert answers.get(f"over-{number}", again.json()) == again.json()
