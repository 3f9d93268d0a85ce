"""Times: RFC 3339 text and integer microseconds UTC, converted both ways."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_NAIVE_EPOCH = EPOCH.replace(tzinfo=None)
_RESOLUTION = timedelta(microseconds=1)
_LEAST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _RESOLUTION
_MOST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _RESOLUTION


def from_datetime(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC; a naive `moment` is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // _RESOLUTION


def to_datetime(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def to_rfc3339(micros: int) -> str:
    """`2023-10-01T12:34:56Z`, with six decimals only where they are not zero."""
    seconds, rest = divmod(micros, SECOND)
    hours, seconds = divmod(seconds, 3600)
    text = _hour(hours) + _minute_and_second(seconds)
    return f"{text}.{rest:06}Z" if rest else text + "Z"


# Events come in the order of time: an hour is written once, four times as fast as each moment.
@lru_cache(maxsize=4096)
def _hour(hours: int) -> str:
    return (_NAIVE_EPOCH + timedelta(hours=hours)).isoformat()[:14]


@lru_cache(maxsize=3600)
def _minute_and_second(seconds: int) -> str:
    return f"{seconds // 60:02}:{seconds % 60:02}"


def from_rfc3339(text: str) -> int:
    """Microseconds UTC; a text without offset is taken as UTC. Raises ValueError."""
    micros = from_datetime(datetime.fromisoformat(text))
    # With its offset, a time may fall outside the years 1 to 9999.
    if not _LEAST <= micros <= _MOST:
        raise ValueError(f"{text} lies outside the years 1 to 9999 in UTC")
    return micros
