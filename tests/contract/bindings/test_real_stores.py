"""Stores of an installation under the BoundStore contract."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from domain.errors import IntegrityError
from eventlog.binding.bound import BoundStore
from eventlog.binding.bound_folder import BoundFolder
from projections.evidence.adapters.bound_mongo import BoundMongo
from projections.evidence.adapters.mongo import Client
from projections.online.adapters.bound_redis import BoundRedis
from projections.online.adapters.feast_repo import repo_config
from projections.readmodels.storage.bound_database import BoundDatabase
from runtime.settings import Settings
from tests.contract.bindings.contract import OURS, BoundStoreContract


class TestBoundFolder(BoundStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], BoundStore]:
        return lambda: BoundFolder(tmp_path / "ledger", "the memory of ids")

    def test_a_damaged_file_is_named(self, tmp_path: Path) -> None:
        folder = BoundFolder(tmp_path, "the memory of ids")
        folder.bound(OURS)
        (tmp_path / "log.json").write_text("{")
        with pytest.raises(IntegrityError, match=r"log\.json is damaged: remove that folder"):
            folder.bound({})


class TestBoundDatabase(BoundStoreContract):
    @pytest.fixture
    def open_store(self, engine: Engine) -> Callable[[], BoundStore]:
        return lambda: BoundDatabase(engine)


class TestBoundRedis(BoundStoreContract):
    @pytest.fixture
    def open_store(self, online_settings: Settings) -> Callable[[], BoundStore]:
        config = repo_config(online_settings)
        return lambda: BoundRedis(config)


class TestBoundMongo(BoundStoreContract):
    @pytest.fixture
    def open_store(self, mongo: Client) -> Callable[[], BoundStore]:
        return lambda: BoundMongo(mongo)
