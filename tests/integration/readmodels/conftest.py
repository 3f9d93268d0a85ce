"""Databases of these tests, one for each module, on the servers of the session."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, text

from migrations.upgrade import upgrade
from projections.evidence.adapters.mongo import Client, build_client
from projections.readmodels.storage.connecting import build_engine, transaction
from projections.settings import MongoSettings, PostgresSettings
from runtime.settings import Settings


@contextmanager
def new_database(servers: Settings) -> Iterator[str]:
    name = sql.Identifier(f"readmodels_{uuid.uuid4().hex}")
    plain = servers.database_url.replace("+psycopg", "", 1)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield servers.database_url.rpartition("/")[0] + "/" + name.as_string().strip('"')
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="module")
def empty_database(servers: Settings) -> Iterator[str]:
    """URL of a database without tables."""
    with new_database(servers) as url:
        yield url


@pytest.fixture(scope="module")
def database(servers: Settings) -> Iterator[str]:
    """URL of a database at the newest revision."""
    with new_database(servers) as url:
        upgrade(url)
        yield url


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """For writers, on tables that are empty."""
    made = build_engine(PostgresSettings(database), writer=True)
    with transaction(made) as connection:
        connection.execute(
            text(
                "TRUNCATE transactions, decisions, labels, alerts, model_alerts, merchant_daily,"
                " customer_daily, feature_vectors, model_health, projection_positions"
            )
        )
    yield made
    made.dispose()


@pytest.fixture
def mongo(servers: Settings) -> Iterator[Client]:
    """On a database that is dropped at the end."""
    base = servers.mongodb_url.rpartition("/")[0]
    name = f"evidence_{uuid.uuid4().hex}"
    client = build_client(MongoSettings(f"{base}/{name}"))
    yield client
    client.drop_database(name)
    client.close()
