"""What a process does with policy that it cannot use: it goes on with what it has."""

from __future__ import annotations

import asyncio
import threading

from commands.active_policy import PolicyWatch
from commands.ports import Scorer
from domain.events import ModelPromoted
from eventlog.inmemory import InMemoryEventLog
from eventlog.topics import POLICY
from tests.fakes.deciding import FixedScorer
from tests.fakes.events import promoted


def test_a_model_that_cannot_be_read_does_not_end_the_watch() -> None:
    arrived = threading.Event()

    def load(model: ModelPromoted) -> Scorer:
        if model.model_id == "broken":
            raise OSError("permission denied")
        arrived.set()
        return FixedScorer(0.5, model.model_id)

    async def run() -> None:
        log = InMemoryEventLog()
        watch = PolicyWatch(log, load)
        await log.append(POLICY, None, promoted("broken"), 0)
        watch.start()
        assert watch.current().scorer is None
        await log.append(POLICY, None, promoted("broken"), 0)
        await log.append(POLICY, None, promoted("good"), 0)
        assert await asyncio.to_thread(arrived.wait, 5)
        watch.close()
        scorer = watch.current().scorer
        assert scorer is not None
        assert scorer.model_id == "good"

    asyncio.run(run())
