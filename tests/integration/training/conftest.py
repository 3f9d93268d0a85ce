"""A database with the current tables, on the session's PostgreSQL, for this folder alone."""

from collections.abc import Iterator

import psycopg
import pytest

from domain.features import CATALOGUE
from migrations.upgrade import upgrade_to
from runtime.settings import Settings


@pytest.fixture(scope="module")
def database_url(servers: Settings) -> Iterator[str]:
    plain = servers.database_url.replace("+psycopg", "")
    name = "served_frame"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    base, _, query = servers.database_url.partition("?")
    url = f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    upgrade_to(url, "head", CATALOGUE.names)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        # What makes the partitions of months is the projection, and no test here runs it.
        connection.execute("CREATE TABLE decisions_of_all PARTITION OF decisions DEFAULT")
    yield url
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
