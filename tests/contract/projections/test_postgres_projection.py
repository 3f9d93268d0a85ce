"""Read models in a real PostgreSQL under the BatchProjection contract."""

import pytest
from sqlalchemy import Engine

from projections.readmodels.adapters.postgres import transactions_projection
from projections.readmodels.queries.read_models import forget
from tests.builders.table_contents import dump, rows
from tests.contract.projections.contract import BatchProjectionContract, Store

POSITION = "SELECT next_offset, projected, void, dead FROM projection_positions WHERE partition = "


class TestPostgresProjection(BatchProjectionContract):
    @pytest.fixture
    def store(self, engine: Engine) -> Store:
        return Store(
            lambda: transactions_projection(engine),
            lambda: forget(engine),
            lambda: {table: kept for table, kept in dump(engine).items() if kept},
            lambda partition: rows(engine, f"{POSITION}{partition}")[0],
            "merchant_id: holds a NUL",
        )
