"""Policy in force: models of one snapshot; a model that cannot be loaded stops nothing."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from commands.policy.active import PolicyWatch
from commands.policy.adapters.cel import CelLanguage
from commands.policy.lists.change import ChangeList, change_list
from commands.policy.rules import publish_rules
from commands.ports import CompiledRules
from domain.errors import NotFoundError
from domain.events import DeclaredList, Envelope, ListEntry, Rule
from domain.policy.snapshot import Model
from domain.rule_values import TYPES
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import POLICY
from tests.fakes.deciding import FixedScorer
from tests.fakes.events import model_hash, promoted, rolled_out
from tests.fakes.lists import declared
from tests.fakes.rules import rule

LANGUAGE = CelLanguage(TYPES)


def test_a_model_whose_artefact_arrives_late_is_put_in_force_then() -> None:
    log = InMemoryEventLog()
    for name in ("m-1", "m-2"):
        log.append_nowait(POLICY, None, promoted(name))
    arrived, loaded, asked = threading.Event(), threading.Event(), []

    def load(model: Model) -> FixedScorer:
        asked.append(model.model_id)
        if not arrived.is_set():
            raise NotFoundError("model artefact", model.model_hash)
        loaded.set()
        return FixedScorer(0.5, model_id=model.model_id)

    watch = PolicyWatch(log, load, LANGUAGE.compile)
    watch.start()
    try:
        assert watch.current().scorer is None
        assert set(asked) == {"m-1", "m-2"}
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


class Shelf:
    """Models by id that can be loaded; `asked` is set whenever one is wanted that is missing."""

    def __init__(self, *ids: str) -> None:
        self.ids = set(ids)
        self.asked, self.given = threading.Semaphore(0), threading.Semaphore(0)

    def load(self, model: Model) -> FixedScorer:
        if model.model_id not in self.ids:
            self.asked.release()
            raise NotFoundError("model artefact", model.model_hash)
        self.given.release()
        return FixedScorer(0.5, model.model_id, model_hash(model.model_id))


@contextmanager
def watching(log: InMemoryEventLog, shelf: Shelf) -> Iterator[PolicyWatch]:
    watch = PolicyWatch(log, shelf.load, LANGUAGE.compile)
    watch.start()
    try:
        yield watch
    finally:
        watch.close()
        log.close()


def deciders(watch: PolicyWatch) -> set[str | None]:
    """Who decides a hundred transactions, by the scorer; it is always that of its snapshot."""
    found: set[str | None] = set()
    for n in range(100):
        chosen = watch.current().of(f"t-{n}")
        model, scorer = chosen.snapshot.model, chosen.scorer
        assert (model and model.model_hash) == (scorer and scorer.model_hash)
        found.add(scorer.model_id if scorer else None)
    return found


def logged(*facts: Envelope) -> InMemoryEventLog:
    log = InMemoryEventLog()
    for fact in facts:
        log.append_nowait(POLICY, None, fact)
    return log


def test_one_snapshot_holds_the_model_in_force_and_the_challenger_loaded() -> None:
    log = logged(promoted("m-1"), rolled_out("m-2", 5_000))
    with watching(log, Shelf("m-1", "m-2")) as watch:
        assert deciders(watch) == {"m-1", "m-2"}
        challenger = next(
            chosen
            for chosen in (watch.current().of(f"t-{n}") for n in range(100))
            if chosen.scorer and chosen.scorer.model_id == "m-2"
        )
        assert challenger.snapshot.version == watch.current().snapshot.version == 1
        assert challenger.snapshot.thresholds_for("full").review == 0.3


def test_a_challenger_that_fails_to_load_leaves_its_share(caplog: pytest.LogCaptureFixture) -> None:
    log, shelf = logged(promoted("m-1"), rolled_out("m-2", 5_000)), Shelf("m-1")
    with watching(log, shelf) as watch:
        assert deciders(watch) == {"m-1"}
        assert watch.current().snapshot.version == 1
        assert "m-2 is refused" in caplog.text
        shelf.ids.add("m-2")
        for _ in ("m-1", "m-2"):
            assert shelf.given.acquire(timeout=10)
    assert deciders(watch) == {"m-1", "m-2"}
    assert caplog.text.count("m-2 is refused") == 1


def test_a_promoted_model_that_cannot_be_loaded_leaves_the_whole_policy_before() -> None:
    log, shelf = logged(promoted("m-1"), rolled_out("m-2", 5_000)), Shelf("m-1", "m-2")
    with watching(log, shelf) as watch:
        before = watch.current()
        log.append_nowait(POLICY, None, promoted("m-3"))
        assert shelf.asked.acquire(timeout=10)
        # Asked twice: whatever the first time led to has been done.
        assert shelf.asked.acquire(timeout=10)
        assert watch.current() == before


def test_a_process_that_starts_takes_the_latest_policy_whose_model_it_can_load() -> None:
    log = logged(promoted("m-0"), promoted("m-1"), rolled_out("m-2", 5_000), promoted("m-3"))
    shelf = Shelf("m-0", "m-1", "m-2")
    with watching(log, shelf) as watch:
        assert deciders(watch) == {"m-1", "m-2"}
        assert watch.current().snapshot.version == 2
        shelf.ids.add("m-3")
        while watch.current().snapshot.version != 3:
            assert shelf.given.acquire(timeout=10)
        assert deciders(watch) == {"m-3"}


async def test_a_record_that_cannot_be_read_keeps_no_model_from_being_put_in_force() -> None:
    log = logged(promoted("m-1"))
    await log.append_bytes(POLICY, None, b"{}")
    log.append_nowait(POLICY, None, promoted("m-2"))
    with watching(log, Shelf("m-1", "m-2")) as watch:
        assert deciders(watch) == {"m-2"}
        assert watch.current().snapshot.version == 2


def test_rules_that_cannot_be_compiled_leave_those_before_in_force() -> None:
    log = InMemoryEventLog()
    publish_rules(log, [rule("first")], "f", "", 1)
    publish_rules(log, [rule("second", "of_a_later_version > 1.0")], "f", "", 2)
    with watching(log, Shelf()) as watch:
        active = watch.current()
        assert active.snapshot.rules is not None
        assert active.snapshot.rules.rules == (rule("first"),)
        assert active.rules is not None
        assert active.rules.truths({"amount": 500.0}) == [True]


def test_published_rules_are_in_force_without_a_restart() -> None:
    log, changed = InMemoryEventLog(), threading.Semaphore(0)

    def compiled(rules: Sequence[Rule], lists: Sequence[DeclaredList]) -> CompiledRules:
        changed.release()
        return LANGUAGE.compile(rules, lists)

    watch = PolicyWatch(log, Shelf().load, compiled)
    watch.start()
    try:
        assert watch.current().rules is None
        publish_rules(log, [rule()], "f", "", 1)
        assert changed.acquire(timeout=10)
    finally:
        watch.close()
        log.close()
    assert watch.current().rules is not None
    assert watch.current().snapshot.version == 0


def test_a_list_that_changes_counts_without_a_restart_and_through_promotions() -> None:
    log = InMemoryEventLog()
    publish_rules(log, [rule(condition="lists.stolen", words="It is.")], "f", "", 1, [declared()])
    log.append_nowait(POLICY, None, promoted("m-1"))
    shelf = Shelf("m-1", "m-2")
    with watching(log, shelf) as watch:
        assert shelf.given.acquire(timeout=10)
        before = watch.current().snapshot
        change = ChangeList(
            name="stolen", of="card", change="add", entries=[ListEntry("c-1")], reason="", by="ann"
        )
        assert change_list(log, change, 2)
        log.append_nowait(POLICY, None, promoted("m-2"))
        assert shelf.given.acquire(timeout=10)
    after = watch.current()
    assert before.lists.in_force == {}
    assert after.snapshot.lists.in_force["stolen"].match("c-1", 0).value
    assert after.rules is not None
    assert after.rules.truths({"lists.stolen": True}) == [True]


def test_a_challenger_decides_under_the_same_rules() -> None:
    log = InMemoryEventLog()
    log.append_nowait(POLICY, None, promoted("m-1"))
    publish_rules(log, [rule()], "f", "", 1)
    log.append_nowait(POLICY, None, rolled_out("m-2", 10_000))
    with watching(log, Shelf("m-1", "m-2")) as watch:
        chosen = watch.current().of("t-1")
        assert chosen.scorer is not None
        assert chosen.scorer.model_id == "m-2"
        assert chosen.rules is watch.current().rules is not None
        assert chosen.snapshot.rules == watch.current().snapshot.rules
