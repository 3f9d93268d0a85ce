"""Rebuild of the online states: a generation beside the live one, verified and then swapped in.

What an end in the middle leaves: until the activation, a generation that nobody reads (`retrace
features generations` shows it, the next rebuild makes another); between the activation on the
policy topic and the move of the pointer, a log that names what is not served yet (run the command
again). Readers and writers follow the pointer within a second.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from commands.features.activate import activate_features
from commands.policy.topic import current_policy
from domain.errors import (
    IntegrityError,
    NotFoundError,
    RetraceError,
    SettingsError,
    UnavailableError,
)
from domain.events import FeaturesActivated
from domain.features import Entity, FeatureSet
from domain.features.engine import states as all_states
from eventlog.archive.history import History
from eventlog.events_table import EventTable
from eventlog.port import EventLog
from eventlog.topics import ENTITIES
from host.clock import now_us
from inference.artefacts.store import ArtefactStore
from operations.progress import Count, Say, read_events
from projections.online.catch_up import CatchUp
from projections.online.generations import Generation, Generations
from projections.online.port import Marker, Markers, Move, StateStore
from projections.verification.comparing import Compared
from projections.verification.log_side import LogSide
from projections.verification.online_side import compare_states


class Keyspaces(Protocol):
    """The online states of every generation. Raises UnavailableError."""

    def markers(self) -> Markers:
        """Of the live generation."""
        ...

    def at(self, generation: Generation) -> StateStore: ...


class BulkWriter(Protocol):
    def write(
        self, entity: Entity, keys: Sequence[str], states: Sequence[bytes], at: int
    ) -> Iterator[int]:
        """Replaces states; yields how many were written. `at` is microseconds UTC."""
        ...


@dataclass(frozen=True, slots=True)
class RebuildPorts:
    """`bulk` writes into a generation that nobody reads; `prepare` makes the columns of the
    offline vectors and the entries of Feast's registry, and may be repeated."""

    log: EventLog
    history: History
    generations: Generations
    states: Keyspaces
    bulk: Callable[[Generation], BulkWriter]
    prepare: Callable[[FeatureSet], None]
    models: ArtefactStore


@dataclass(frozen=True, slots=True)
class Built:
    """A generation, how many states it holds and how many values were compared with the log."""

    generation: Generation
    states: int
    compared: int


class Rebuilder:
    """Works beside live writers and readers. Raises UnavailableError."""

    def __init__(self, ports: RebuildPorts, say: Say, count: Count) -> None:
        self._ports, self._say, self._count = ports, say, count

    def build(self, features: FeatureSet, reason: str) -> Built:
        """A generation of the whole log, verified and not live. Raises IntegrityError where it
        differs from the log."""
        self._check_model(features)
        self._say("columns and the Feast registry")
        self._ports.prepare(features)
        nexts = self._nexts()
        events = read_events(self._ports.history, self._say, self._count)
        made = self._ports.generations.begin(features, reason)
        held = self._fill(made, events, dict(enumerate(self._ports.history.ends)), nexts)
        self.follow(made)
        compared = self._verified(made, events)
        self.follow(made)
        return Built(made, held, compared)

    def freeze(self, features: FeatureSet, as_known_at: int) -> Built:
        """A generation as known at a moment. It can never be live: no position of the log tells
        a writer where to go on."""
        events = read_events(self._ports.history, self._say, self._count)
        known = events.known <= as_known_at
        made = self._ports.generations.begin(features, f"as known at {as_known_at}")
        held = self._fill(made, _only(events, known), {}, {})
        return Built(made, held, 0)

    def activate(self, after: Generation, reason: str) -> None:
        """Appends the activation, then moves the pointer."""
        if after.features is None:
            raise IntegrityError(
                f"generation {after.number} is of features that cannot be computed"
            )
        self._refuse_frozen(after)
        self._check_model(after.features)
        before = self._ports.generations.number()
        fact = FeaturesActivated(
            generation=after.number,
            feature_set=after.hash,
            declarations=after.features.to_json(),
            reason=reason,
        )
        activate_features(self._ports.log, fact, before, now_us())
        self._ports.generations.swap(before, after.number)

    def before(self, number: int | None) -> Generation:
        """The generation to go back to: that of `number`, or the one that was live before.

        Where that one is gone, or was itself gone back from, the newest below the live one.
        """
        kept = self._ports.generations
        every, live, former = kept.all(), kept.number(), kept.before()
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
        """Brings a generation to the end of the log; returns how many records were folded.

        Raises SettingsError for one that was made as known at a moment.
        """
        self._refuse_frozen(generation)
        self._say(f"following the log into generation {generation.number}")
        states = self._ports.states.at(generation)
        return asyncio.run(CatchUp(self._ports.log, states).run())

    def _refuse_frozen(self, generation: Generation) -> None:
        if not self._ports.states.at(generation).markers().at:
            raise SettingsError(
                f"generation {generation.number} was made as known at a moment: it cannot be live"
            )

    def _check_model(self, features: FeatureSet) -> None:
        """Raises SettingsError where the model in force could not score with these features."""
        model = current_policy(self._ports.log).model
        if model is None:
            return
        try:
            inputs = self._ports.models.open(model.model_hash).manifest.inputs
        except UnavailableError:
            raise
        except RetraceError:
            # This version cannot score with it, whatever the features.
            return
        inputs.check(features)

    def _nexts(self) -> dict[int, int]:
        """Where in the entity topic each shard of the live generation goes on."""
        markers = self._ports.states.markers()
        return {s: markers.at.get(s, Marker()).next for s in range(ENTITIES.partitions)}

    def _fill(
        self, made: Generation, events: EventTable, ends: dict[int, int], nexts: dict[int, int]
    ) -> int:
        assert made.features is not None
        self._say(f"building generation {made.number} from {len(events):,} events")
        bulk, held = self._ports.bulk(made), 0
        latest = int(events.known.max(initial=0))
        total = sum(len(events.keys[entity]) for entity in made.features.entities)
        for entity in made.features.entities:
            states = all_states(made.features, entity, events.codes[entity], events.rows)
            for number in bulk.write(entity, events.keys[entity], states, latest):
                held += number
                self._count(held, total)
        covered = {p: end - 1 for p, end in ends.items() if end}
        moves = [
            Move(shard, None, Marker(following, covered)) for shard, following in nexts.items()
        ]
        if moves:
            self._ports.states.at(made).save([], moves)
        return held

    def _verified(self, made: Generation, events: EventTable) -> int:
        """Every stored state against the one that the log gives at its versions."""
        assert made.features is not None
        self._say("verifying")
        side = LogSide(events, made.features, [end - 1 for end in self._ports.history.ends])
        compared = Compared("online states", "log at their versions", "Redis")
        states, done = self._ports.states.at(made), 0
        total = sum(len(events.keys[entity]) for entity in made.features.entities)
        for entity in made.features.entities:
            for number in compare_states(side, states.read, entity, compared):
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
