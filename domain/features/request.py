"""Owns the plain values of a request, with neither history nor libm."""

from __future__ import annotations

from collections.abc import Callable

from domain.features.declarations import Field
from domain.features.filters import REMOTE_CHANNELS
from domain.times import DAY, HOUR
from domain.transactions import Transaction

# sin of 0, 15 … 345 degrees, one per hour, correctly rounded; cos is six hours ahead.
_QUARTER = (
    0.0,
    0.25881904510252074,
    0.5,
    0.7071067811865476,
    0.8660254037844386,
    0.9659258262890683,
)
_HALF = (*_QUARTER, 1.0, *_QUARTER[:0:-1])
_SIN = (*_HALF, *(0.0 - value for value in _HALF))
_NIGHT_ENDS = 6
_MONDAY = 3  # 1970-01-01 was a Thursday


def money(minor: int) -> float:
    """Minor units of the base currency to units."""
    return float(minor) / 100.0


def _amount(transaction: Transaction) -> float:
    return money(transaction.base_amount)


def _hour(transaction: Transaction) -> int:
    return transaction.timestamp // HOUR % 24


def _hour_sin(transaction: Transaction) -> float:
    return _SIN[_hour(transaction)]


def _hour_cos(transaction: Transaction) -> float:
    return _SIN[(_hour(transaction) + 6) % 24]


def _night(transaction: Transaction) -> float:
    return 1.0 if _hour(transaction) < _NIGHT_ENDS else 0.0


def _weekend(transaction: Transaction) -> float:
    return 1.0 if (transaction.timestamp // DAY + _MONDAY) % 7 >= 5 else 0.0


def _remote(transaction: Transaction) -> float | None:
    if transaction.channel is None:
        return None
    return 1.0 if transaction.channel in REMOTE_CHANNELS else 0.0


REQUEST: dict[Field, Callable[[Transaction], float | None]] = {
    Field.AMOUNT: _amount,
    Field.HOUR_SIN: _hour_sin,
    Field.HOUR_COS: _hour_cos,
    Field.NIGHT: _night,
    Field.WEEKEND: _weekend,
    Field.REMOTE: _remote,
}
