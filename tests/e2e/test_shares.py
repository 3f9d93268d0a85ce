"""API processes share the log: each reads its partitions, and no record is read by two."""

from __future__ import annotations

from itertools import count

import httpx
import pytest

from bench.live.shares import records_read, served_by
from runtime.settings import SERVER_FIELDS, load_settings
from tests.e2e.stack import RunningStack, body, eventually

PAYMENTS = 40


@pytest.mark.parametrize("apis", [1, 2, 4])
def test_every_record_is_read_by_one_of_the_api_processes(stack: RunningStack, apis: int) -> None:
    settings = load_settings(state_dir=stack.state_dir, **dict.fromkeys(SERVER_FIELDS, ""))
    batches = count()
    with served_by(settings, apis) as (urls, _):

        def read_of_a_batch() -> list[float]:
            """Records that each process reads of payments that are sent to all of them in turn."""
            before, batch = [records_read(url) for url in urls], next(batches)
            for number in range(PAYMENTS):
                payment = body(f"share-{apis}-{batch}-{number}", card_id=f"share-card-{number}")
                sent = httpx.post(f"{urls[number % apis]}/score", content=payment)
                assert sent.status_code == 200
            return [records_read(url) - was for url, was in zip(urls, before, strict=True)]

        def shared() -> bool:
            read = read_of_a_batch()
            return sum(read) == 2 * PAYMENTS and max(read) < 2 * (2 * PAYMENTS) / apis + 1

        # What a process has lost to another it lets go after a while.
        eventually(shared, within=60)
