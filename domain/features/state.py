"""Owns the state of one entity: folding, merging, bytes; finishing and storing are others'."""

from __future__ import annotations

from domain.errors import IntegrityError
from domain.features.catalogue import CATALOGUE
from domain.features.columns import Reader, Writer
from domain.features.entities import Entity
from domain.features.events import FeatureEvent
from domain.features.feature_set import FeatureSet
from domain.features.labels import Labels
from domain.features.pairs import Pairs
from domain.features.places import Places
from domain.features.plan import EntityPlan
from domain.features.tiles import Tiles
from domain.features.versions import read_versions, write_versions

NEVER = -(1 << 62)


class EntityState:
    """A pure function of the set of events folded, whatever their order across partitions.

    `version` is {source partition: last offset folded}; events of one partition are to be folded
    in the order of their offsets. `latest` and `latest_label` are the greatest event time of a
    transaction and known time of a label, NEVER where there was none. A transaction is decided
    before its own event is folded, so a vector made in the order of the log never holds itself; a
    vector made again is to be made from a state below the transaction's own event.
    """

    __slots__ = (
        "entity",
        "folded_labels",
        "folded_transactions",
        "key",
        "labels",
        "latest",
        "latest_label",
        "pairs",
        "places",
        "plan",
        "tiles",
        "version",
    )

    def __init__(self, entity: Entity, key: str, features: FeatureSet = CATALOGUE) -> None:
        plan = features.plans[entity]
        self.entity = entity
        self.key = key
        self.plan = plan
        self.version: dict[int, int] = {}
        self.latest = self.latest_label = NEVER
        self.folded_transactions = self.folded_labels = 0
        self.tiles = [Tiles(part) for part in plan.tiles]
        self.pairs = [Pairs(part) for part in plan.pairs]
        self.places = [Places(part) for part in plan.places]
        self.labels = Labels(plan.labels) if plan.labels is not None else None

    def fold(self, partition: int, offset: int, event: FeatureEvent) -> bool:
        """False, and nothing changed, where the version covers the offset already."""
        version = self.version
        if offset <= version.get(partition, -1):
            return False
        version[partition] = offset
        if event.label is not None:
            self._fold_label(event)
            return True
        time, amount = event.time, event.base_amount
        self.folded_transactions += 1
        if time > self.latest:
            self.latest = time
        for tiles in self.tiles:
            tiles.add(event, time, amount)
            if len(tiles.tiles) > tiles.limit:
                tiles.trim(self.latest)
        for pairs in self.pairs:
            pairs.add(event, time)
        if event.x is not None:
            for places in self.places:
                places.add(event, time)
                if len(places.tiles) > places.limit:
                    places.trim(self.latest)
        return True

    def _fold_label(self, event: FeatureEvent) -> None:
        self.folded_labels += 1
        if event.time > self.latest_label:
            self.latest_label = event.time
        if self.labels is not None:
            self.labels.add(event)

    @property
    def dropped(self) -> int:
        """Events of the set that lie before the horizon or, for labels, beyond the cap."""
        self._trim()
        held = max(
            (t for t in self.tiles if t.keeps is None),
            key=lambda t: t.plan.window.horizon,
            default=None,
        )
        transactions = self.folded_transactions - sum(held.counts) if held is not None else 0
        labels = self.folded_labels - len(self.labels.labels) if self.labels is not None else 0
        return transactions + labels

    def merge(self, other: EntityState) -> None:
        """Takes in the events of `other`; the two sets are to have none in common."""
        if (other.entity, other.key, other.plan) != (self.entity, self.key, self.plan):
            raise ValueError(f"{other.entity}:{other.key} is no part of {self.entity}:{self.key}")
        for partition, offset in other.version.items():
            self.version[partition] = max(offset, self.version.get(partition, -1))
        self.folded_transactions += other.folded_transactions
        self.folded_labels += other.folded_labels
        self.latest = max(self.latest, other.latest)
        self.latest_label = max(self.latest_label, other.latest_label)
        for tiles, more_tiles in zip(self.tiles, other.tiles, strict=True):
            tiles.merge(more_tiles)
        for pairs, more_pairs in zip(self.pairs, other.pairs, strict=True):
            pairs.merge(more_pairs)
        for places, more_places in zip(self.places, other.places, strict=True):
            places.merge(more_places)
        if self.labels is not None and other.labels is not None:
            self.labels.merge(other.labels)

    def copy(self) -> EntityState:
        twin = EntityState.__new__(EntityState)
        twin.entity, twin.key, twin.plan = self.entity, self.key, self.plan
        twin.version = dict(self.version)
        twin.latest, twin.latest_label = self.latest, self.latest_label
        twin.folded_transactions = self.folded_transactions
        twin.folded_labels = self.folded_labels
        twin.tiles = [tiles.copy() for tiles in self.tiles]
        twin.pairs = [pairs.copy() for pairs in self.pairs]
        twin.places = [places.copy() for places in self.places]
        twin.labels = self.labels.copy() if self.labels is not None else None
        return twin

    def to_bytes(self) -> bytes:
        """Equal for equal sets of events."""
        self._trim()
        writer = Writer()
        writer.raw(self.plan.digest)
        write_versions(writer, self.version)
        writer.varint(self.folded_transactions)
        if self.folded_transactions:
            writer.signed(self.latest)
            for store in self._stores():
                store.write(writer)
        writer.varint(self.folded_labels)
        if self.folded_labels:
            writer.signed(self.latest_label)
            if self.labels is not None:
                self.labels.write(writer)
        return writer.to_bytes()

    @classmethod
    def from_bytes(
        cls, entity: Entity, key: str, data: bytes, features: FeatureSet = CATALOGUE
    ) -> EntityState:
        """Raises IntegrityError where `data` was written for other features or is damaged."""
        self = cls(entity, key, features)
        reader = Reader(data)
        if reader.raw(4) != self.plan.digest:
            raise IntegrityError(
                f"the state of {entity} {key!r} was written for other features than set "
                f"{features.hash}: rebuild the online state from the log"
            )
        self.version = read_versions(reader)
        self._read_stores(self.plan, reader)
        reader.finish()
        return self

    def _read_stores(self, plan: EntityPlan, reader: Reader) -> None:
        self.folded_transactions = reader.varint()
        if self.folded_transactions:
            self.latest = reader.signed()
            self.tiles = [Tiles.read_from(part, reader) for part in plan.tiles]
            self.pairs = [Pairs.read_from(part, reader) for part in plan.pairs]
            self.places = [Places.read_from(part, reader) for part in plan.places]
        self.folded_labels = reader.varint()
        if self.folded_labels:
            self.latest_label = reader.signed()
            if plan.labels is not None:
                self.labels = Labels.read_from(plan.labels, reader)

    def _stores(self) -> list[Tiles | Pairs | Places]:
        return [*self.tiles, *self.pairs, *self.places]

    def _trim(self) -> None:
        for store in self._stores():
            store.trim(self.latest)
        if self.labels is not None:
            self.labels.trim(self.latest_label)
