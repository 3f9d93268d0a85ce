"""Archived columns and events one by one name the same payers."""

import numpy as np
import pyarrow as pa
import pytest

from domain.features import Entity, FeatureEvent
from domain.features.events import digest
from domain.features.kernel.row_layout import BIAS
from eventlog.archive.arrays import event_table
from eventlog.archive.layout import FOLDED
from eventlog.events_table import EventTable, TableBuilder

# (card, customer, merchant): a card alone, a customer alone, one of two cards, nobody, and a card
# of the id of a customer.
WHO = (
    ("red", None, "shop"),
    (None, "ann", "shop"),
    ("blue", "ann", None),
    (None, None, "shop"),
    ("ann", None, "shop"),
    ("red", "bob", "bar"),
)


def events() -> list[FeatureEvent]:
    return [
        FeatureEvent("transaction", 100 - n, digest(f"e{n}"), 100 - n, f"t{n}", 100 - n, n, *who)
        for n, who in enumerate(WHO)
    ]


def archived() -> pa.Table:
    rows = [
        {
            **each._asdict(),
            "partition": 0,
            "offset": n,
            "order": each.order - BIAS,
            "transaction_digest": digest(each.transaction_id) - BIAS,
        }
        for n, each in enumerate(events())
    ]
    places = [pa.field(name, pa.int64()) for name in ("partition", "offset")]
    return pa.Table.from_pylist(rows, schema=pa.schema([*places, *FOLDED]))


def named(table: EventTable, entity: Entity) -> list[str | None]:
    keys = table.keys[entity]
    return [keys[code] if code >= 0 else None for code in table.codes[entity].tolist()]


@pytest.mark.parametrize("by_known_time", [False, True])
def test_the_archive_names_who_pays_as_the_events_do(by_known_time: bool) -> None:
    builder = TableBuilder()
    for offset, each in enumerate(events()):
        builder.add(0, offset, each)
    ours, theirs = builder.table(), event_table(archived(), by_known_time)
    step = -1 if by_known_time else 1
    assert np.array_equal(ours.rows[::step], theirs.rows)
    for entity in Entity:
        assert named(ours, entity)[::step] == named(theirs, entity)
        assert sorted(ours.keys[entity]) == sorted(theirs.keys[entity])
    assert named(ours, Entity.PAYER) == ["red", "ann", "ann", None, "ann", "bob"]
