"""Evidence in a real MongoDB-wire server under the BatchProjection contract."""

import pytest

from projections.evidence.adapters.mongo import Client, MongoEvidenceProjection
from tests.contract.projections.contract import BatchProjectionContract, Store

POSITION = ("next_offset", "projected", "void", "dead")


class TestEvidenceProjection(BatchProjectionContract):
    @pytest.fixture
    def store(self, mongo: Client) -> Store:
        reader = MongoEvidenceProjection(mongo)
        return Store(
            lambda: MongoEvidenceProjection(mongo),
            reader.forget,
            lambda: list(mongo.get_default_database()["evidence"].find().sort("_id")),
            lambda partition: tuple(reader.counts()[partition][name] for name in POSITION),
            "raw and attributes: .* more than",
        )
