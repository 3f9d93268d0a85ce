"""Settings of PostgreSQL and MongoDB."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """`database_url` is `postgresql+psycopg://user:password@host:port/database`.

    `pool_size` bounds the connections of one process. `statement_timeout_s` bounds each statement
    of a reader; writers are bounded by `lock_timeout_s` alone.
    """

    database_url: str
    pool_size: int = 5
    connect_timeout_s: int = 2
    statement_timeout_s: int = 10
    lock_timeout_s: int = 30


@dataclass(frozen=True, slots=True)
class MongoSettings:
    """`mongodb_url` is `mongodb://host:port/database`; a URL without database means `retrace`."""

    mongodb_url: str
    timeout_s: float = 2.0
