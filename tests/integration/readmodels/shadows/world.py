"""A world of shadows: a log, its read models, and the shadows of the policy topic."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Engine

from domain.events import Envelope, ModelShadowed, Thresholds
from domain.policy.shadows import NO_SHADOWS, Shadow, Shadows
from domain.times import HOUR
from projections.readmodels.adapters.postgres import transactions_projection
from projections.shadows.adapters.postgres import PostgresShadows
from projections.shadows.worker import Replayed, ShadowScoring
from tests.builders.read_model_facts import (
    NOON,
    PARTITIONS,
    CheckedLog,
    imported,
    project_all,
    scored,
    submitted,
    transaction,
)
from tests.builders.table_contents import rows

THRESHOLDS = Thresholds(review=0.3, step_up=0.5, decline=0.7)
SINCE = NOON + 4 * HOUR


@dataclass
class World:
    """A log, its read models, and the shadows of its policy topic."""

    engine: Engine
    log: CheckedLog = field(default_factory=CheckedLog)
    shadows: Shadows = NO_SHADOWS
    number: int = 0
    replays: int = 0
    refused: set[str] = field(default_factory=set)

    def history(self, count: int) -> None:
        """Hour by hour: every third is imported, one of four repeats its decision."""
        for _ in range(count):
            x = transaction(f"x-{self.number}", NOON + self.number * HOUR)
            decided = scored(x)
            features = [float(self.number % 10), None, 0.3]
            decided = replace(decided, data=replace(decided.data, features=features))
            facts = [imported(x)] if self.number % 3 == 0 else [submitted(x), decided]
            self.log.append(*facts, *(facts if self.number % 4 == 0 else []))
            self.number += 1

    def say(self, fact: Any) -> None:
        self.shadows = self.shadows.apply(fact, self.shadows.version + 1)

    def shadow(self, since: int | None, model_hash: str = "c" * 64) -> None:
        self.say(
            ModelShadowed(
                model_id="c",
                model_hash=model_hash,
                feature_set="f1",
                thresholds=THRESHOLDS,
                seam=self.log.ends(),
                since=since,
            )
        )

    def worker(
        self, store: PostgresShadows | None = None, active: Shadows | None = None
    ) -> ShadowScoring:
        made = ShadowScoring(
            store or PostgresShadows(self.engine),
            lambda _: active or self.shadows,
            lambda _: Tenths(),
            self.replay,
        )
        made.own(set(range(PARTITIONS)))
        return made

    def project(self) -> None:
        project_all(transactions_projection(self.engine), self.log)

    def replay(self, shadow: Shadow) -> list[Replayed] | None:
        if shadow.model_hash in self.refused:
            return None
        self.replays += 1
        found = [
            Replayed(place.partition, place.offset, x.transaction_id, x.timestamp, x.timestamp, 0.6)
            for place, x in self.vectors()
            if place.offset < shadow.seam[place.partition] and x.timestamp >= (shadow.since or 0)
        ]
        return sorted(found, key=lambda each: (each.partition, each.offset))

    def vectors(self) -> list[Any]:
        """(position, transaction) of each decision and import that counts."""
        records = [each for some in self.log.records.values() for each in some]
        return [
            (each.position, each.envelope.data.transaction)
            for each in records
            if each.status == "counts" and each.envelope and is_vector(each.envelope)
        ]


def is_vector(envelope: Envelope) -> bool:
    return envelope.type.startswith(("fraud.transaction.scored", "fraud.transaction.imported"))


class Tenths:
    """The first feature in tenths; knows the set f1 alone."""

    def score(self, feature_set: str, values: Sequence[float | None]) -> float | None:
        return (values[0] or 0.0) / 10 if feature_set == "f1" else None


def settle(worker: ShadowScoring) -> None:
    while worker.step():
        pass


def found(world: World) -> list[tuple[Any, ...]]:
    return rows(world.engine, "SELECT * FROM shadow_scores ORDER BY model_hash, transaction_id")


def vectors_by_id(world: World) -> dict[str, str]:
    asked = "SELECT transaction_id, vector FROM shadow_scores"
    return {key: vector for key, vector in rows(world.engine, asked)}  # noqa: C416


def due(world: World, since: int, seam: Sequence[int]) -> dict[str, str]:
    """What must be there: ideal below the seam, served above it, where imports have nothing."""
    expected = {}
    for place, x in world.vectors():
        below = place.offset < seam[place.partition]
        decided = int(x.transaction_id[2:]) % 3 != 0
        if x.timestamp >= since and (below or decided):
            expected[x.transaction_id] = "ideal" if below else "served"
    return expected
