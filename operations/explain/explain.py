"""Entity time travel: one payment as it was decided, and as it would be by what is known by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from commands.policy.past import PastPolicies
from commands.ports import RuleLanguage
from domain.errors import IntegrityError, NotFoundError
from domain.events import Envelope, TransactionImported, TransactionScored
from domain.features import CATALOGUE, Entity, FeatureSet, Held, decode_held, entity_keys
from domain.features.kernel.arrays import Ints
from domain.policy.exploration import judged
from domain.times import HOUR, to_rfc3339
from domain.transactions import Transaction
from eventlog.archive.of_entities import Asked, Checked, EntityEvents, EntityReader, ids_of
from eventlog.port import EventLog
from operations.explain.again import Again
from operations.explain.as_known import AsKnown, as_known_at
from operations.explain.facts import Teller, fields_of, told_decision
from operations.explain.histories import Histories, History
from operations.explain.model import NO_INSIGHT, Insight, OpenArtefact, insight
from operations.explain.rules import told_rules
from operations.explain.standing import Bools, Moment, before, of_entity, served
from operations.explain.told import EVENTS_SHOWN, Cost, Explanation, ToldFeature, ToldRules
from operations.explain.whatif import counterfactuals, other_keys, usual_of
from operations.replay.models import PastModels
from operations.replay.reading import reach_of
from operations.replay.verify import feature_sets

_AHEAD = HOUR
"""An event time is not so far after a known time: five minutes, and the clocks of two hosts."""
Vector = list[float | None]


@dataclass(frozen=True, slots=True)
class ExplainPorts:
    """The log, what finds events in it, and what loads models and compiles rules."""

    log: EventLog
    reader: EntityReader
    models: PastModels
    artefact: OpenArtefact
    language: RuleLanguage


@dataclass(frozen=True, slots=True)
class Fact:
    """What counts of a transaction: its decision, else its import, else its submission."""

    partition: int
    offset: int
    envelope: Envelope


def fact_of(transaction_id: str, facts: Sequence[tuple[int, int, Envelope]]) -> Fact:
    """Of all that counts of an id: (partition, offset, event) each. Raises NotFoundError."""
    for kind in (TransactionScored, TransactionImported, object):
        for partition, offset, envelope in facts:
            if isinstance(envelope.data, kind):
                return Fact(partition, offset, envelope)
    raise NotFoundError("transaction", transaction_id)


def explain(
    ports: ExplainPorts,
    fact: Fact,
    ends: Sequence[int],
    at: int | None = None,
    checked: Checked = lambda: None,
) -> Explanation:
    """`ends` are those of the log; `at` is a known time in microseconds, None for no look at it.

    What `checked` raises ends it. Raises UnavailableError where log, archive or a model server is
    away, IntegrityError for a damaged archive.
    """
    return _Explaining(ports, fact, ends, at, checked).made()


class _Explaining:
    def __init__(
        self, ports: ExplainPorts, fact: Fact, ends: Sequence[int], at: int | None, checked: Checked
    ) -> None:
        self._ports, self._fact, self._ends = ports, fact, ends
        self._at, self._checked = at, checked
        envelope = fact.envelope
        self._decided = envelope.data if isinstance(envelope.data, TransactionScored) else None
        self._transaction: Transaction = envelope.data.transaction
        self._moment = Moment(
            self._transaction.timestamp, envelope.known_time, fact.partition, fact.offset
        )
        self._notes: list[str] = []
        self._features = self._feature_set()
        own = entity_keys(self._transaction).items()
        self._keys = {e: key for e, key in own if e in self._features.entities}
        self._held = self._versions()
        self._cost = Cost(0, 0, 0)

    def made(self) -> Explanation:
        events = self._read(list(self._keys.items()))
        whole = {entity: self._of(events, entity) for entity in self._keys}
        counted = {e: self._counted(events, e, at) for e, at in whole.items()}
        read = {
            entity: History(at[counted[entity]], events.table.rows[at[counted[entity]]])
            for entity, at in whole.items()
            if self._decided is None or entity in self._held
        }
        histories = Histories(self._features, self._transaction, self._moment, read)
        again = self._again()
        vector = self._vector(histories)
        as_known = self._as_known(events, whole, counted, again, vector)
        seen = self._insight(again, vector)
        teller = Teller(events)
        entities = [
            teller.entity(entity, key, read.get(entity), self._held.get(entity))
            for entity, key in self._keys.items()
        ]
        features = self._told(teller, read, vector, as_known, seen)
        found = None
        if again is not None and self._decided is not None and not again.trouble:
            usual = usual_of(events.table, read, self._transaction)
            histories.others = self._read(other_keys(self._transaction, usual)).table
            exploration = self._decided.exploration
            ruled = judged(self._decided.outcome, exploration)
            if exploration is not None and exploration.explored:
                self._notes.append(f"exploration let it pass: the policy says {ruled}")
            found = counterfactuals(again, histories, usual, ruled, self._checked)
        return Explanation(
            self._transaction.transaction_id,
            self._status,
            f"{self._fact.partition}/{self._fact.offset}",
            to_rfc3339(self._fact.envelope.known_time),
            fields_of(self._transaction),
            told_decision(self._decided, self._fact.envelope) if self._decided else None,
            entities,
            features,
            EVENTS_SHOWN,
            self._rules(again, vector),
            found,
            as_known.told if as_known else None,
            self._cost,
            self._notes,
        )

    @property
    def _status(self) -> str:
        if self._decided is not None:
            return "decided"
        imported = isinstance(self._fact.envelope.data, TransactionImported)
        return "imported" if imported else "submitted"

    def _feature_set(self) -> FeatureSet:
        if self._decided is None:
            return CATALOGUE
        known = feature_sets(self._ports.log).get(self._decided.feature_set)
        if known is None:
            self._notes.append(
                f"feature set {self._decided.feature_set} is unknown to this version: its features"
                " have no names, and what made them cannot be told"
            )
            return FeatureSet([])
        return known

    def _versions(self) -> dict[Entity, Held]:
        if self._decided is None:
            return {}
        found: dict[Entity, Held] = {}
        for entity in self._keys:
            text = self._decided.versions.get(entity.value)
            if text is not None:
                try:
                    found[entity] = decode_held(text)
                except IntegrityError as error:
                    self._notes.append(str(error))
        return found

    def _read(self, keys: Sequence[tuple[Entity, str]]) -> EntityEvents:
        ends = [0] * len(self._ends)
        for held in self._held.values():
            for partition, offset in (*held.upto.items(), *held.beside):
                if partition < len(ends):
                    ends[partition] = max(ends[partition], offset + 1)
        known = self._moment.known
        asked = Asked(
            ids_of(keys),
            self._moment.time - reach_of(self._features),
            ends,
            max(known, self._at or known),
            max(known, self._moment.time) + _AHEAD,
        )
        found = self._ports.reader.events(asked, self._ends, self._checked)
        self._cost = Cost(
            max(self._cost.files, found.files),
            max(self._cost.opened, found.opened),
            self._cost.records + found.records,
        )
        return found

    def _of(self, events: EntityEvents, entity: Entity) -> Ints:
        name = self._transaction.transaction_id
        return of_entity(events.table, entity, self._keys[entity], name)

    def _counted(self, events: EntityEvents, entity: Entity, at: Ints) -> Bools:
        rows = events.table.rows[at]
        if self._decided is None:
            return before(rows, events.table.known[at], self._moment)
        held = self._held.get(entity)
        return served(rows, held) if held is not None else np.zeros(len(at), dtype=np.bool_)

    def _vector(self, histories: Histories) -> Vector:
        """As recorded, else what the log gives."""
        again = histories.vector(self._transaction)
        if self._decided is None:
            return again
        recorded = self._decided.features
        if len(recorded) == len(again):
            differing = [
                name
                for name, mine, theirs in zip(self._features.names, recorded, again, strict=True)
                if repr(mine) != repr(theirs)
            ]
            if differing:
                self._notes.append(
                    f"the log gives other values than were served: {', '.join(differing)};"
                    " `retrace replay verify` tells why"
                )
        return recorded

    def _again(self) -> Again | None:
        if self._decided is None or not len(self._features):
            return None
        past = PastPolicies(self._ports.log, self._ports.language)
        made = Again(self._decided, self._features, past, self._ports.models)
        if made.trouble:
            self._notes.append(f"it cannot be decided again: {made.trouble}")
        return made

    def _insight(self, again: Again | None, vector: Vector) -> Insight:
        if again is None or again.scorer is None or self._decided is None:
            return NO_INSIGHT
        try:
            artefact = self._ports.artefact(self._decided.model_hash)
        except (NotFoundError, IntegrityError) as error:
            self._notes.append(f"what the model made of it cannot be told: {error}")
            return NO_INSIGHT
        return insight(artefact, again.inputs(vector) if not again.trouble else None)

    def _told(
        self,
        teller: Teller,
        read: Mapping[Entity, History],
        vector: Vector,
        as_known: AsKnown | None,
        seen: Insight,
    ) -> list[ToldFeature]:
        if not len(self._features):
            nothing = (None, "", "")
            return [
                ToldFeature(f"feature_{n}", *nothing, value, None, None, None, 0, [])
                for n, value in enumerate(vector)
            ]
        later = as_known.vector if as_known else [None] * len(vector)
        both = zip(self._features.features, vector, later, strict=True)
        return [
            teller.feature(feature, (value, known), self._transaction, read, seen)
            for feature, value, known in both
        ]

    def _rules(self, again: Again | None, vector: Vector) -> ToldRules | None:
        data = self._decided
        if again is None or data is None or data.rules is None or again.rules is None:
            return None
        assert again.rule_set is not None
        seen = again.seen(self._transaction, vector, data.score)
        return told_rules(data.rules, again.rule_set, self._ports.language, seen)

    def _as_known(
        self,
        events: EntityEvents,
        whole: Mapping[Entity, Ints],
        counted: Mapping[Entity, Bools],
        again: Again | None,
        vector: Vector,
    ) -> AsKnown | None:
        if self._at is None or not len(self._features):
            return None
        served = Histories(self._features, self._transaction, self._moment, {})
        return as_known_at(self._at, events, served, (whole, counted), again, vector)
