"""Owns building a generation of the online states beside the live one, and swapping it in.

The order, and what an end in the middle leaves: the generation is built and followed (it lies
beside, nobody reads it: `retrace features generations` shows it, the next rebuild makes another);
the activation is appended to the policy topic (the log says it, the pointer does not yet: going on
is running the command again); the pointer moves (readers and writers follow within a second).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from commands.models.lifecycle import current_policy
from domain.errors import (
    IntegrityError,
    NotFoundError,
    RetraceError,
    SettingsError,
    UnavailableError,
)
from domain.events import Envelope, FeaturesActivated
from domain.features import FeatureSet
from domain.features.engine import states as all_states
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.archive.history import History
from eventlog.events_table import EventTable
from eventlog.topics import ENTITIES, POLICY
from host.clock import now_us
from projections.online.adapters.feast_repo import apply, repo_config
from projections.online.adapters.feast_states import FeastStateStore
from projections.online.adapters.redis_generations import RedisGenerations
from projections.online.adapters.state_bulk import BulkStates
from projections.online.catch_up import Follower
from projections.online.generations import Generation
from projections.online.port import Marker
from projections.readmodels.storage.connecting import build_engine, transaction
from projections.readmodels.storage.feature_columns import ensure_feature_columns
from projections.settings import PostgresSettings
from projections.verification.comparing import Compared
from projections.verification.log_side import LogSide
from projections.verification.online_side import compare_states
from runtime.composition.models import artefacts_of
from runtime.settings import Settings

Say = Callable[[str], None]
Count = Callable[[int, int], None]
SOURCE = "retrace/features"


@dataclass(frozen=True, slots=True)
class Built:
    """A generation, how many states it holds and how many values were compared with the log."""

    generation: Generation
    states: int
    compared: int


class Rebuilder:
    """Works beside live writers and readers. Raises UnavailableError."""

    def __init__(
        self, settings: Settings, log: KafkaEventLog, history: History, say: Say, count: Count
    ) -> None:
        self._settings, self._log, self._history = settings, log, history
        self._say, self._count = say, count
        self._config = repo_config(settings)
        self.generations = RedisGenerations(self._config)
        self._states = FeastStateStore(self._config)

    def build(self, features: FeatureSet, reason: str) -> Built:
        """From the whole log, followed and verified; not live. Raises IntegrityError."""
        self._prepare(features)
        nexts = self._nexts()
        events = self._events()
        made = self.generations.begin(features, reason)
        held = self._fill(made, events, dict(enumerate(self._history.ends)), nexts)
        self.follow(made)
        compared = self._verified(made, events)
        self.follow(made)
        return Built(made, held, compared)

    def freeze(self, features: FeatureSet, as_known_at: int) -> Built:
        """The states of what was known at a moment; never live, since no position stands for it."""
        events = self._events()
        known = events.known <= as_known_at
        made = self.generations.begin(features, f"as known at {as_known_at}")
        held = self._fill(made, _only(events, known), {}, {})
        return Built(made, held, 0)

    def activate(self, after: Generation, reason: str) -> None:
        """Says it in the log, then moves the pointer."""
        if after.features is None:
            raise IntegrityError(
                f"generation {after.number} is of features that cannot be computed"
            )
        if not FeastStateStore(self._config).at(after).markers().at:
            raise SettingsError(
                f"generation {after.number} was made as known at a moment: it cannot be live"
            )
        self._refuse_if_the_model_would(after.features)
        before = self.generations.number()
        fact = FeaturesActivated(
            generation=after.number,
            feature_set=after.hash,
            declarations=after.features.to_json(),
            reason=reason,
        )
        now = now_us()
        envelope = Envelope(
            id=f"{fact.NAME}/{after.number}/{before}/{now}",
            source=SOURCE,
            subject=f"features {after.hash}",
            time=now,
            known_time=now,
            data=fact,
            correlation_id=f"features {after.hash}",
        )
        self._log.append_nowait(POLICY, None, envelope)
        self._log.flush()
        self.generations.swap(before, after.number)

    def before(self, number: int | None) -> Generation:
        """The generation to go back to: that of `number`, or the one that was live before.

        Where that one is gone, or was itself gone back from, the newest below the live one.
        """
        every = self.generations.all()
        live, former = self.generations.number(), self.generations.before()
        if number is None and former < live and any(each.number == former for each in every):
            number = former
        usable = [each for each in every if each.number != live and each.features is not None]
        if number is not None:
            usable = [each for each in usable if each.number == number]
        else:
            usable = [each for each in usable if each.number < live]
        if not usable:
            raise NotFoundError("generation to go back to", str(number or f"below {live}"))
        return usable[-1]

    def follow(self, generation: Generation) -> int:
        """Brings a generation to the end of the log; returns how many records it took."""
        self._say(f"following the log into generation {generation.number}")
        return asyncio.run(Follower(self._log, self._states.at(generation)).catch_up())

    def _prepare(self, features: FeatureSet) -> None:
        self._refuse_if_the_model_would(features)
        self._say("columns and the Feast registry")
        engine = build_engine(PostgresSettings(self._settings.database_url), writer=True)
        try:
            with transaction(engine) as connection:
                ensure_feature_columns(connection, features.names)
        finally:
            engine.dispose()
        apply(self._settings)

    def _refuse_if_the_model_would(self, features: FeatureSet) -> None:
        model = current_policy(self._log).model
        if model is None:
            return
        store = artefacts_of(self._settings)
        try:
            inputs = store.open(model.model_hash).manifest.inputs
        except UnavailableError:
            raise
        except RetraceError:
            # Nobody can score with it here, whatever the features.
            return
        inputs.check(features)

    def _nexts(self) -> dict[int, int]:
        """Where in the entity topic each shard of the live generation goes on."""
        markers = self._states.markers()
        return {s: markers.at.get(s, Marker()).next for s in range(ENTITIES.partitions)}

    def _events(self) -> EventTable:
        self._say("reading the log")
        total, read = sum(self._history.ends), [0]

        def progress(more: int) -> None:
            read[0] += more
            self._count(read[0], total)

        return self._history.events(progress)

    def _fill(
        self, made: Generation, events: EventTable, ends: dict[int, int], nexts: dict[int, int]
    ) -> int:
        assert made.features is not None
        self._say(f"building generation {made.number} from {len(events):,} events")
        bulk, held = BulkStates(self._config, made.number), 0
        latest = int(events.known.max(initial=0))
        total = sum(len(events.keys[entity]) for entity in made.features.entities)
        for entity in made.features.entities:
            states = all_states(made.features, entity, events.codes[entity], events.rows)
            for number in bulk.write(entity, events.keys[entity], states, latest):
                held += number
                self._count(held, total)
        shadow = self._states.at(made)
        for shard, following in nexts.items():
            covered = {p: end - 1 for p, end in ends.items() if end}
            shadow.mark(shard, None, Marker(following, covered))
        return held

    def _verified(self, made: Generation, events: EventTable) -> int:
        """Every stored state against the one that the log gives at its versions."""
        assert made.features is not None
        self._say("verifying")
        side = LogSide(events, made.features, [end - 1 for end in self._history.ends])
        compared = Compared("online states", "log at their versions", "Redis")
        shadow, done = self._states.at(made), 0
        total = sum(len(events.keys[entity]) for entity in made.features.entities)
        for entity in made.features.entities:
            for number in compare_states(side, shadow.read, entity, compared):
                done += number
                self._count(done, total)
        if compared.different:
            first = compared.shown[0]
            raise IntegrityError(
                f"generation {made.number} is not what the log gives: {compared.different} values, "
                f"first {first.feature} of {first.entity} {first.subject}; it was not made live"
            )
        return compared.values


def _only(events: EventTable, kept: NDArray[np.bool_]) -> EventTable:
    return EventTable(
        events.rows[kept],
        events.known[kept],
        {entity: codes[kept] for entity, codes in events.codes.items()},
        events.keys,
        events.transaction_ids[kept],
    )
