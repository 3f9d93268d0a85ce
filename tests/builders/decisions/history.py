"""Histories of decisions under a policy that changes, in one in-memory log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from commands import Context
from commands.models.lifecycle import promote_model, roll_out_model
from commands.policy.active import ActivePolicy
from commands.policy.adapters.cel import CelLanguage
from commands.policy.lists.change import ChangeList, change_list
from commands.policy.rules import publish_rules
from commands.policy.suppressions import publish_suppressions
from commands.policy.thresholds import publish_exploration, publish_thresholds
from commands.policy.topic import current_policy
from commands.ports import ModelScorer, ServedFeatures
from domain.errors import NotFoundError
from domain.events import (
    DeclaredList,
    ListEntry,
    ModelPromoted,
    ModelRolledOut,
    Rule,
    Suppression,
    Thresholds,
)
from domain.features import CATALOGUE, EntityState, Inputs, entity_keys, feature_event, finish
from domain.features.versions import encode_held
from domain.policy.score import Score
from domain.rule_values import TYPES
from domain.times import DAY, from_rfc3339
from domain.transactions import Transaction
from eventlog.admission.dict_memory import DictMemory
from eventlog.admission.first_wins import Admission
from eventlog.archive.folder import ArchiveFolder
from eventlog.archive.history import History
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from operations.replay.verify import ReplayPorts
from tests.fakes.deciding import NOW, LogFeatureReader, deciding_process, score
from tests.fakes.events import labelled, model_hash

LANGUAGE = CelLanguage(TYPES)
STOLEN = DeclaredList(name="stolen", of="card", purpose="deny", owner="fraud team")
_TAKEN = ("amount", "card_count_1h")


class RecordingReader(LogFeatureReader):
    """Records what it folded: of each entity all that lies below, and the last two beside it."""

    away = False
    behind = False

    async def read(self, transaction: Transaction) -> ServedFeatures:
        if self.away:
            defaults = finish({}, transaction)
            return ServedFeatures(CATALOGUE, defaults, {}, ["features_unavailable"])
        folded: dict[Any, list[tuple[int, int]]] = {}
        states = {e: EntityState(e, key) for e, key in entity_keys(transaction).items()}
        admission = Admission(DictMemory())
        records = list(self._log.read(TRANSACTIONS))
        # The last payment of each partition is two records.
        for recorded in records[:-2] if self.behind else records:
            place, envelope = recorded.position, decode(recorded.value)
            event = feature_event(envelope)
            if not admission.admit(envelope, place.partition, place.offset) or event is None:
                continue
            for entity, key in entity_keys(event).items():
                if entity in states and states[entity].key == key:
                    states[entity].fold(place.partition, place.offset, event)
                    folded.setdefault(entity, []).append((place.partition, place.offset))
        versions = {entity.value: _held(folded.get(entity, [])) for entity in states}
        return ServedFeatures(CATALOGUE, finish(states, transaction), versions)


def _held(places: Sequence[tuple[int, int]]) -> str:
    """The last of each partition stands beside what lies below it."""
    upto: dict[int, int] = {}
    beside = []
    for partition in {partition for partition, _ in places}:
        mine = sorted(offset for p, offset in places if p == partition)
        beside.append((partition, mine[-1]))
        if mine[:-1]:
            upto[partition] = mine[-2]
    return encode_held(upto, beside)


@dataclass(frozen=True)
class Weighing:
    """A model of two features; another `weight`, another model."""

    weight: float
    fingerprint: str = "here"
    blocking: bool = False

    @property
    def model_id(self) -> str:
        return f"weighing-{self.weight}"

    @property
    def model_hash(self) -> str:
        return model_hash(self.model_id)

    @property
    def inputs(self) -> Inputs:
        definitions = {f.name: f.definition for f in CATALOGUE.features}
        taken = [definitions[name] for name in _TAKEN]
        return Inputs(self.model_id, "other", _TAKEN, taken)

    def value(self, values: Sequence[float | None]) -> float:
        amount, count = (value or 0.0 for value in values)
        return min(self.weight * (amount / 1000.0 + count / 10.0), 1.0)

    def score(self, transaction: Transaction, values: Sequence[float | None]) -> Score:
        reasons = ["model.amount"] if (values[0] or 0.0) > 400.0 else []
        return Score(self.value(values), reasons)


MODELS = [Weighing(0.5), Weighing(0.8)]


class DecidedHistory:
    """Pays and publishes; `ports` read it back as the command line does."""

    def __init__(self, log: InMemoryEventLog, context: Context, reader: RecordingReader) -> None:
        self.log, self._reader = log, reader
        self._context = replace(context, policy=self.policy, clock=self._tick)
        self._now = NOW
        self._times: dict[str, int] = {}
        self._held: ActivePolicy | None = None
        self.last_label = ""

    @property
    def ports(self) -> ReplayPorts:
        folder = ArchiveFolder("/nonexistent", TRANSACTIONS)
        history = History(self.log, folder, self.log._ends(TRANSACTIONS))
        return ReplayPorts(self.log, history, loaded, LANGUAGE)

    async def pay(self, transaction_id: str, amount: int, at: str, **more: Any) -> Any:
        """`at` is RFC 3339."""
        self._times[transaction_id] = from_rfc3339(at)
        given = {"transaction_id": transaction_id, "amount": amount, "timestamp": at, **more}
        return await score(self._context, **given)

    async def pay_while_away(self, transaction_id: str, amount: int, at: str, **more: Any) -> Any:
        """The store of features does not answer."""
        self._reader.away = True
        try:
            return await self.pay(transaction_id, amount, at, **more)
        finally:
            self._reader.away = False

    async def pay_while_behind(self, transaction_id: str, amount: int, at: str, **more: Any) -> Any:
        """What was read of the log last is not seen yet."""
        self._reader.behind = True
        try:
            return await self.pay(transaction_id, amount, at, **more)
        finally:
            self._reader.behind = False

    @contextmanager
    def unaware(self) -> Iterator[None]:
        """Whoever decides has not taken up yet what is published meanwhile."""
        self._held = self.policy()
        try:
            yield
        finally:
            self._held = None

    def label(self, transaction_id: str, value: int, card: str) -> None:
        fact = labelled(transaction_id, f"r-{self._tick()}", value)
        data = replace(fact.data, card_id=card, transaction_time=self._times[transaction_id])
        fact = replace(fact, data=data, known_time=self._tick())
        self.last_label = fact.id
        self.log.append_nowait(TRANSACTIONS, transaction_id, fact)

    def promote(self, number: int, review: float) -> None:
        model = MODELS[number]
        fact = ModelPromoted(
            model_id=model.model_id, model_hash=model.model_hash, feature_set=CATALOGUE.hash
        )
        least = Thresholds(review=review, step_up=0.8, decline=0.9)
        promote_model(self.log, fact, least, self._tick())

    def roll_out(self, number: int, share: int) -> None:
        """Nothing where it is the model in force, which has all traffic."""
        model, champion = MODELS[number], current_policy(self.log).model
        if champion is not None and champion.model_hash == model.model_hash:
            return
        least = Thresholds(review=0.3, step_up=0.6, decline=0.7)
        fact = ModelRolledOut(
            model_id=model.model_id, model_hash=model.model_hash,
            feature_set=CATALOGUE.hash, share=share, thresholds=least,
        )  # fmt: skip
        roll_out_model(self.log, fact, self._tick())

    def publish(self, rules: list[Rule], lists: Sequence[DeclaredList] = ()) -> None:
        publish_rules(self.log, rules, CATALOGUE.hash, "why", self._tick(), lists)

    def set_thresholds(self, review: float | None) -> None:
        """For all models; None withdraws them."""
        least = None if review is None else Thresholds(review=review, step_up=0.5, decline=0.6)
        publish_thresholds(self.log, least, "why", self._tick())

    def explore(self, share: int) -> None:
        """Basis points of what would be declined; 0 ends it."""
        publish_exploration(self.log, share, "salt", "why", self._tick())

    def silence(self, cards: Sequence[str], rules: Sequence[str] = ()) -> None:
        """Alerts of these cards, or due to these rules, on the day that is played."""
        begins = from_rfc3339("2023-10-01T00:00:00Z")
        named = {"quiet": {"cards": list(cards)}, "noisy": {"rules": list(rules)}}
        silent = [
            Suppression(
                name=name, begins=begins, until=begins + DAY, reason="why", owner="me", **scope
            )
            for name, scope in named.items()
            if any(scope.values())
        ]
        publish_suppressions(self.log, silent, "why", self._tick())

    def list_cards(self, cards: Sequence[str]) -> None:
        command = ChangeList(
            name="stolen", of="card", change="replace",
            entries=[ListEntry(card) for card in cards], reason="why", by="ann",
        )  # fmt: skip
        change_list(self.log, command, self._tick())

    def policy(self) -> ActivePolicy:
        if self._held is not None:
            return self._held
        snapshot = current_policy(self.log)
        by_hash = {model.model_hash: model for model in MODELS}
        scorer = by_hash[snapshot.model.model_hash] if snapshot.model else None
        out = by_hash[snapshot.roll_out.model_hash] if snapshot.roll_out else None
        found = snapshot.rules
        rules = LANGUAGE.compile(found.rules, found.lists) if found else None
        return ActivePolicy(snapshot, scorer, out, rules)

    def _tick(self) -> int:
        self._now += 1
        return self._now


def loaded(wanted: str) -> ModelScorer:
    """By its hash, as a store of models does."""
    for model in MODELS:
        if model.model_hash == wanted:
            return model
    raise NotFoundError("model", wanted)


@contextmanager
def decided_history(memory: Path | None = None) -> Iterator[DecidedHistory]:
    log = InMemoryEventLog()
    reader = RecordingReader(log)
    with deciding_process(log, features=reader, memory=memory) as context:
        made = DecidedHistory(log, context, reader)
        yield made
    log.close()
