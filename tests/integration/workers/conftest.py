"""Fixtures of the workers: a log, a Redis database and a state folder of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.features import CATALOGUE
from eventlog.adapters.kafka import KafkaEventLog
from eventlog.settings import KafkaSettings
from migrations.upgrade import upgrade_to
from projections.online.adapters.feast_repo import apply, repo_config
from projections.online.adapters.feast_states import FeastStateStore
from runtime.settings import Settings
from tests.builders.workers.process import WorkerProcess


@pytest.fixture
def settings(online_settings: Settings) -> Settings:
    return online_settings


@pytest.fixture
def log(kafka: KafkaSettings) -> Iterator[KafkaEventLog]:
    log = KafkaEventLog(kafka)
    yield log
    log.close()


@pytest.fixture
def states(settings: Settings) -> FeastStateStore:
    """Of the first generation."""
    store = FeastStateStore(repo_config(settings))
    store.adopt()
    return store


@pytest.fixture
def applied(settings: Settings) -> Settings:
    apply(settings)
    return settings


@pytest.fixture
def database(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """PostgreSQL with the tables, and no vectors or positions."""
    upgrade_to(settings.database_url, "head", CATALOGUE.names)
    url = settings.database_url.replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE feature_vectors, feature_vector_ids, projection_positions, log_topics"
        )
        yield connection
        connection.execute(
            "TRUNCATE feature_vectors, feature_vector_ids, projection_positions, log_topics"
        )


@pytest.fixture
def start(
    settings: Settings, kafka: KafkaSettings, tmp_path: Path
) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts a worker by name, as an instance of its own; it ends with the test."""
    started: list[WorkerProcess] = []

    def start(name: str, instance: str = "") -> WorkerProcess:
        log = tmp_path / f"{instance or name}.log"
        process = WorkerProcess(name, settings, kafka.topic_prefix, log, instance)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
