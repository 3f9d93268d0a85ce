"""The in-memory projection of the tests under the BatchProjection contract."""

import pytest

from tests.contract.projections.contract import TOO_LARGE, BatchProjectionContract, Store
from tests.fakes.projections import InMemoryProjection


class TestInMemoryProjection(BatchProjectionContract):
    @pytest.fixture
    def store(self) -> Store:
        first = InMemoryProjection(unfoldable={TOO_LARGE: "too large"})

        def position(partition: int) -> tuple[int, ...]:
            kept = list(first.statuses[partition].values())
            counts = kept.count("counts"), kept.count("void"), kept.count("dead")
            return first.positions[partition], *counts

        return Store(
            first.successor,
            first.forget,
            lambda: {partition: dict(kept) for partition, kept in first.statuses.items()},
            position,
            "too large",
        )
