"""Connections to PostgreSQL, and which of its errors mean that it is unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from domain.errors import UnavailableError
from projections.settings import PostgresSettings

SERVER = "postgresql"


def build_engine(settings: PostgresSettings, *, writer: bool = False) -> Engine:
    """Connects on first use. Readers' statements are bounded in time, writers' by locks alone."""
    bounds = {
        "timezone": "UTC",
        "lock_timeout": f"{settings.lock_timeout_s}s",
        # A frozen process must not hold its partition for ever.
        "idle_in_transaction_session_timeout": f"{settings.lock_timeout_s // 2}s",
    }
    if not writer:
        bounds["statement_timeout"] = f"{settings.statement_timeout_s}s"
    return create_engine(
        settings.database_url,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.connect_timeout_s,
        pool_pre_ping=True,
        pool_reset_on_return="rollback",
        connect_args={
            "connect_timeout": settings.connect_timeout_s,
            "tcp_user_timeout": settings.connect_timeout_s * 1000,
            "application_name": "retrace",
            "options": " ".join(f"-c {name}={value}" for name, value in bounds.items()),
        },
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction; raises UnavailableError where the server is away or fails."""
    with translated_errors(), engine.begin() as connection:
        yield connection


@contextmanager
def translated_errors() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise UnavailableError(SERVER, "all connections of the pool are in use") from error
    except DBAPIError as error:
        raise _translated(error.orig) from error
    except psycopg.Error as error:
        raise _translated(error) from error


def _translated(error: BaseException | None) -> BaseException:
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        text = f"{_first_line(error)}: run the migrations (`./retrace up` does)"
        return UnavailableError(SERVER, text, retry_after=10)
    away = psycopg.OperationalError | psycopg.InterfaceError | psycopg.InternalError
    if isinstance(error, away):
        return UnavailableError(SERVER, _first_line(error))
    assert error is not None
    return error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
