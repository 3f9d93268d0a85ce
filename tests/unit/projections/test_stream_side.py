"""Routed records as the verification reads them: what a writer folds, each event once."""

from domain.features import Entity, FeatureEvent, feature_event
from domain.features.rows import row_bytes, row_of
from eventlog.port import Position, Recorded
from eventlog.routing import KINDS, Gathered, encode_routed
from eventlog.topics import ENTITIES
from projections.verification.stream_side import routed_of
from tests.builders.workers.entities import routed_record
from tests.fakes.events import imported


def event(number: int) -> FeatureEvent:
    found = feature_event(imported(f"t{number}"))
    assert found
    return found._replace(card_id=f"c{number % 2}")


def test_repeated_records_gaps_and_those_of_another_version_are_skipped() -> None:
    overlapping = Gathered()
    for n in (1, 2):
        traced = row_bytes(row_of(0, n, event(n))), None
        overlapping.add(KINDS.index(Entity.CARD), f"c{n % 2}", traced)
    sent = [
        *(routed_record(event(n), 0, n, [Entity.CARD]) for n in (0, 1, 1, 0, 3)),
        b"what is this",
        encode_routed(overlapping.record(0, 1, 2)),
        routed_record(event(3), 0, 3, [Entity.CARD]),
        # Another source begins anew.
        routed_record(event(4), 1, 0, [Entity.CARD]),
    ]
    records = [Recorded(Position(ENTITIES.name, 0, at), None, it) for at, it in enumerate(sent)]
    found = routed_of(records)[Entity.CARD]
    assert found.rows.tolist() == [
        list(row_of(source, offset, event(number)))
        for source, offset, number in [(0, 0, 0), (0, 1, 1), (0, 2, 2), (0, 3, 3), (1, 0, 4)]
    ]
    assert (found.keys, found.codes.tolist()) == (["c0", "c1"], [0, 1, 0, 1, 0])
