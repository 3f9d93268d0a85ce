"""Vectors in a real PostgreSQL under the VectorStore contract."""

import numpy as np
import psycopg
import pytest
from sqlalchemy import Engine, text

from domain.features import CATALOGUE
from projections.offline.adapters.postgres_vectors import PostgresVectors
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.feature_columns import ensure_feature_columns
from projections.verification.postgres_side import digests, stored_vectors
from tests.builders.table_contents import rows
from tests.contract.vectors.contract import KEY, Database, VectorStoreContract

POSITION = "SELECT next_offset, projected, void, dead FROM projection_positions WHERE partition = "
TALLY = f"SELECT sum(compared), sum(different) FROM feature_consistency WHERE feature = '{KEY[0]}'"


class TestPostgresVectors(VectorStoreContract):
    @pytest.fixture
    def kept(self, engine: Engine) -> Database:
        with transaction(engine) as connection:
            ensure_feature_columns(connection, CATALOGUE.names)
            connection.execute(text("TRUNCATE feature_consistency"))

        def tally() -> tuple[int, int]:
            compared, different = rows(engine, TALLY)[0]
            return int(compared), int(different)

        return Database(
            lambda: PostgresVectors(engine),
            lambda: _vectors(engine),
            lambda partition: rows(engine, f"{POSITION}{partition}")[0],
            tally,
        )


def _vectors(engine: Engine) -> dict[str, bytes]:
    url = engine.url.render_as_string(hide_password=False).replace("+psycopg", "", 1)
    names = {int(mark): name for name in "ab" for mark in digests([name])}
    with psycopg.connect(url) as connection:
        return {
            names[int(mark)]: np.ascontiguousarray(values).tobytes()
            for marks, vectors in stored_vectors(connection, CATALOGUE)
            for mark, values in zip(marks, vectors, strict=True)
        }
