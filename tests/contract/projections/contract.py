"""Contract suite of BatchProjection; one test module per adapter inherits it and gives a store."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from domain.errors import FencedError
from eventlog.port import Position
from eventlog.topics import TRANSACTIONS
from projections.evidence.documents import MOST_BYTES
from projections.ports import BatchProjection, CheckedRecord, UnfoldableError
from tests.builders.read_model_facts import project_all, small_history, submitted, transaction

LOG = small_history()
RECORDS, TOO_LARGE = LOG.records[0], 99


@dataclass
class Store:
    """What the owners share, empty when a test begins; `forget` fences them. A position is (next
    offset, projected, void, dead). `refusal` is why the record at TOO_LARGE does not fit."""

    projection: Callable[[], BatchProjection]
    forget: Callable[[], None]
    rows: Callable[[], Any]
    position: Callable[[int], tuple[int, ...]]
    refusal: str

    def committed(self) -> Any:
        return self.rows(), [self.position(partition) for partition in LOG.records]


class BatchProjectionContract:
    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError("give an empty store")

    @pytest.mark.parametrize(("size", "again"), [(1, 0), (3, 0), (100, 0), (1, 2), (100, 100)])
    def test_a_rebuild_gives_the_same_however_records_are_handed_in(
        self, store: Store, size: int, again: int
    ) -> None:
        former, successor = store.projection(), store.projection()
        project_all(former, LOG, size=4)
        before = store.committed()
        store.forget()
        assert not store.rows()
        with pytest.raises(FencedError):
            former.project({0: RECORDS})
        for partition, records in LOG.records.items():
            successor.assign(partition)
            for at in range(0, len(records) + again, size):
                successor.project({partition: records[max(0, at - again) : at + size]})
            following, *counts = store.position(partition)
            assert following == sum(counts) == len(records)
        assert store.committed() == before

    def test_an_owner_fences_the_former_and_goes_on_behind_it(self, store: Store) -> None:
        former, successor = store.projection(), store.projection()
        assert former.assign(0) == 0
        former.project({0: RECORDS[:3]})
        before = store.rows(), store.position(0)
        assert successor.assign(0) == 3
        with pytest.raises(FencedError):
            former.project({0: RECORDS})
        assert (store.rows(), store.position(0)) == before

    def test_what_was_never_assigned_or_was_revoked_is_refused(self, store: Store) -> None:
        projection = store.projection()
        for _ in range(2):
            projection.revoke(0)
            with pytest.raises(FencedError):
                projection.project({0: RECORDS})
            projection.assign(0)

    def test_what_does_not_fit_is_named_and_then_dead(self, store: Store) -> None:
        fact = submitted(transaction("large", merchant_id="a\0b"))
        fact = replace(fact, data=replace(fact.data, raw="x" * (MOST_BYTES + 1)))
        large = CheckedRecord(Position(TRANSACTIONS.name, 0, TOO_LARGE), fact, "counts")
        projection = store.projection()
        projection.assign(0)
        with pytest.raises(UnfoldableError, match=store.refusal) as caught:
            projection.project({0: [RECORDS[0], large]})
        assert [place.offset for place in caught.value.reasons] == [TOO_LARGE]
        assert not store.rows()
        projection.project({0: [RECORDS[0], replace(large, status="dead")]})
        assert store.position(0) == (TOO_LARGE + 1, 1, 0, 1)
