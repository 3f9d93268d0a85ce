"""Alembic environment: over the connection it is given, or else over DATABASE_URL."""

import os
from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from domain.errors import SettingsError
from projections.readmodels.storage.tables import METADATA, feature_vectors
from projections.readmodels.storage.time_partitions import partition_named

# Any number, the same for every migration, so that two at once take turns.
_TURN = 7_265_747_261


def _ours(obj: Any, _: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    """Feature columns follow the catalogue and are kept by migrations.upgrade, not by revisions."""
    extra = type_ == "column" and reflected and compare_to is None
    return not (extra and obj.table.name == feature_vectors.name)


def _declared(name: str | None, type_: str, _: Any) -> bool:
    """Partitions come and go with their months, and are made like their tables."""
    return not (type_ == "table" and name is not None and partition_named(name))


def _migrate(connection: Connection) -> None:
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_object=_ours,
        include_name=_declared,
        compare_type=True,
        compare_server_default=True,
    )
    context.run_migrations()


def _run() -> None:
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", target_metadata=METADATA)
        context.run_migrations()
        return
    given = context.config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise SettingsError("DATABASE_URL is not set: `./retrace env` prints it for a local stack")
    with create_engine(url, poolclass=pool.NullPool).begin() as connection:
        _migrate(connection)


_run()
