"""The policy in force: what cannot be loaded stops nothing and is tried again."""

from __future__ import annotations

import threading

from commands.active_policy import PolicyWatch
from domain.errors import NotFoundError
from domain.events import ModelPromoted
from eventlog.inmemory import InMemoryEventLog
from eventlog.topics import POLICY
from tests.fakes.deciding import FixedScorer
from tests.fakes.events import promoted


def test_a_model_whose_artefact_arrives_late_is_put_in_force_then() -> None:
    log = InMemoryEventLog()
    for name in ("m-1", "m-2"):
        log.append_nowait(POLICY, None, promoted(name))
    arrived, loaded, asked = threading.Event(), threading.Event(), []

    def load(model: ModelPromoted) -> FixedScorer:
        asked.append(model.model_id)
        if not arrived.is_set():
            raise NotFoundError("model artefact", model.model_hash)
        loaded.set()
        return FixedScorer(0.5, model_id=model.model_id)

    watch = PolicyWatch(log, load)
    watch.start()
    try:
        assert watch.current().scorer is None
        assert set(asked) == {"m-2"}
        arrived.set()
        assert loaded.wait(10)
    finally:
        watch.close()
        log.close()
    active = watch.current()
    assert active.scorer is not None
    assert active.scorer.model_id == "m-2"
    assert active.snapshot.model is not None
    assert active.snapshot.model.model_id == "m-2"
    assert active.snapshot.version == 1
