"""The cursor of the PostgreSQL driver, and COPY, inside a transaction of SQLAlchemy."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection

Cursor = psycopg.Cursor[Any]


def driver_cursor(connection: Connection) -> Cursor:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver.cursor()


def copy(
    cursor: Cursor, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Writes complete rows by COPY, the fastest way."""
    pending = list(rows)
    if not pending:
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with cursor.copy(statement) as stream:
        for row in pending:
            stream.write_row(row)
