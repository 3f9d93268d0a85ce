"""Column type: integer microseconds in Python, timestamptz in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

from domain.times import from_datetime, to_datetime


class Micros(TypeDecorator[int]):
    """Microseconds UTC as an int on our side; `timestamp with time zone` for everybody else."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: int | None, _: Dialect) -> datetime | None:
        return None if value is None else to_datetime(value)

    def process_result_value(self, value: Any, _: Dialect) -> int | None:
        return None if value is None else from_datetime(value)
