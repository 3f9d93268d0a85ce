"""The in-memory vectors of the tests under the VectorStore contract."""

from dataclasses import astuple

import pytest

from projections.offline.port import Progress
from projections.offline.skew import Tally
from tests.contract.vectors.contract import KEY, Database, VectorStoreContract
from tests.fakes.vectors import InMemoryVectors, VectorDatabase


class TestInMemoryVectors(VectorStoreContract):
    @pytest.fixture
    def kept(self) -> Database:
        held = VectorDatabase()
        return Database(
            lambda: InMemoryVectors(held),
            lambda: held.rows,
            lambda partition: astuple(held.counted.progress.get(partition, Progress(0))),
            lambda: astuple(held.tallies.get(KEY, Tally())),
        )
