"""Facts in an explanation: events, entities and features, as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import log
from typing import Any

import numpy as np

from domain.events import Envelope, TransactionScored
from domain.features import Entity, Feature, Held
from domain.features.declarations.units import unit_of
from domain.features.entities import FIELDS, key_parts
from domain.features.events import place_of
from domain.features.kernel.arrays import Ints
from domain.features.kernel.row_layout import (
    AMOUNT,
    IS_FRAUD,
    IS_GENUINE,
    IS_STEP_UP,
    IS_TRANSACTION,
    KIND,
    OFFSET,
    PARTITION,
    TIME,
)
from domain.features.members import members
from domain.features.rows import request_row
from domain.money import with_shown_amounts
from domain.times import to_rfc3339
from domain.transactions import Transaction
from domain.wording import told
from eventlog.archive.of_entities import EntityEvents
from operations.explain.histories import History
from operations.explain.model import Insight
from operations.explain.told import EVENTS_SHOWN, ToldDecision, ToldEntity, ToldEvent, ToldFeature


def fields_of(transaction: Transaction) -> dict[str, Any]:
    """Those that have a value."""
    fields = {name: getattr(transaction, name) for name in transaction.__slots__}
    fields["timestamp"] = to_rfc3339(transaction.timestamp)
    return with_shown_amounts({name: value for name, value in fields.items() if value is not None})


def told_decision(data: TransactionScored, envelope: Envelope) -> ToldDecision:
    """As recorded."""
    odds = data.path == "full" and 0 < data.score < 1
    least = data.thresholds
    return ToldDecision(
        data.outcome,
        data.score,
        log(data.score / (1 - data.score)) if odds else None,
        data.path,
        data.flags,
        told(data),
        {"review": least.review, "step_up": least.step_up, "decline": least.decline},
        data.model_id,
        data.model_hash,
        data.policy_version,
        data.feature_set,
        to_rfc3339(envelope.known_time),
        data.suppressed_by,
    )


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells what the rows of one table are."""

    events: EntityEvents

    def event(self, at: int) -> ToldEvent:
        """Of one row."""
        row = self.events.table.rows[at].tolist()
        label = {IS_FRAUD: 1, IS_GENUINE: 0}.get(row[KIND])
        step_up = row[KIND] == IS_STEP_UP
        return ToldEvent(
            str(self.events.event_ids[at]),
            str(self.events.table.transaction_ids[at]),
            "label" if label is not None else "step_up" if step_up else "payment",
            to_rfc3339(row[TIME]),
            to_rfc3339(int(self.events.table.known[at])),
            str(Decimal(row[AMOUNT]).scaleb(-2)),
            f"{row[PARTITION]}/{row[OFFSET]}",
            label,
        )

    def newest(self, at: Ints, most: int = EVENTS_SHOWN) -> list[ToldEvent]:
        """Of rows by time, the newest first."""
        return [self.event(number) for number in at[::-1][:most].tolist()]

    def entity(
        self, entity: Entity, key: str, history: History | None, held: Held | None
    ) -> ToldEntity:
        """`history` is None where nothing was read of it, `held` where nothing was recorded."""
        at = history.at if history is not None else np.zeros(0, dtype=np.int64)
        rows = self.events.table.rows[at]
        kinds = rows[:, KIND]
        by_time = at[np.argsort(rows[:, TIME], kind="stable")].tolist()
        return ToldEntity(
            entity.value,
            dict(zip(FIELDS[entity], key_parts(entity, key), strict=True)),
            history is not None,
            {str(p): offset for p, offset in held.upto.items()} if held else {},
            [f"{p}/{offset}" for p, offset in held.beside] if held else [],
            int((kinds == IS_TRANSACTION).sum()),
            int(((kinds == IS_FRAUD) | (kinds == IS_GENUINE)).sum()),
            int((kinds == IS_STEP_UP).sum()),
            self.event(by_time[0]) if by_time else None,
            self.event(by_time[-1]) if by_time else None,
        )

    def feature(
        self,
        feature: Feature,
        values: tuple[float | None, float | None],
        transaction: Transaction,
        read: Mapping[Entity, History],
        seen: Insight,
    ) -> ToldFeature:
        """`values` are the feature's own, and that by what was known later."""
        at = np.zeros(0, dtype=np.int64)
        history = read.get(feature.entity) if feature.entity is not None else None
        if history is not None:
            request = np.array(request_row(transaction, place_of(transaction)), dtype=np.int64)
            at = history.at[members(feature, history.rows, request)]
        return ToldFeature(
            feature.name,
            None if feature.entity is None else feature.entity.value,
            feature.meaning,
            unit_of(feature),
            values[0],
            seen.usual.get(feature.name),
            seen.contributions.get(feature.name),
            values[1],
            len(at),
            self.newest(at),
        )
