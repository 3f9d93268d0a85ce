"""Times as a mapping states them: counters, date orders, patterns, local times of a zone."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from commands.imports.mapping.model import Counter, FieldMapping, Order, Unit
from commands.imports.mapping.values import RowValue
from domain.cleaning.unclean import UncleanError
from domain.times import DAY, HOUR, MINUTE, SECOND, from_rfc3339, to_datetime

DOUBLED = "timestamps of a doubled hour, read as the {}"
MIDNIGHT = "dates without a time of day, read as midnight"

_UNITS: dict[Unit, Decimal | int] = {
    "100ns": Decimal("0.1"), "us": 1, "ms": 1000, "second": SECOND, "minute": MINUTE, "hour": HOUR,
    "day": DAY, "week": 7 * DAY, "month": 28 * DAY,
}  # fmt: skip
_DATE = re.compile(
    r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})(?:[T ,]+(\d{1,2})(?::(\d{2})(?::(\d{2})"
    r"(?:[.,](\d{1,9}))?)?)?(?:\s*([AaPp])\.?[Mm]\.?)?)?\s*([Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_HOUR = re.compile("%[HIcXT]")
_PLACES: dict[Order, tuple[int, int, int]] = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}


def moment_value(take: RowValue, field: FieldMapping, note: Callable[[str], None]) -> RowValue:
    """What cleaning reads as the same moment, in UTC wherever the mapping tells how."""
    if field.counter is not None:
        return _CounterValue(take, field.counter)
    if field.order is None and field.format is None and field.zone is None:
        return take
    zone = ZoneInfo(field.zone) if field.zone else None
    midnight = field.format is not None and not _HOUR.search(field.format)

    def value(row: Mapping[str, Any], line: int) -> Any:
        taken = take(row, line)
        if field.format is not None and taken is not None:
            taken = _by_format(str(taken).strip(), field.format)
            if midnight and taken is not None:
                note(MIDNIGHT)
        elif isinstance(taken, str):
            taken = _by_order(taken.strip(), field.order or "ymd")
        if zone is None or not isinstance(taken, datetime) or taken.tzinfo is not None:
            return taken
        return _local(taken, zone, field.doubled, note)

    return value


class _CounterValue:
    """Rows of one step follow each other by a microsecond, so that the file's order stays."""

    def __init__(self, take: RowValue, counter: Counter) -> None:
        self._take, self._unit = take, counter.unit
        self._start = from_rfc3339(counter.start)
        self._per = _UNITS[counter.unit]
        self._last: int | None = None
        self._run = 0

    def __call__(self, row: Mapping[str, Any], line: int) -> datetime | None:
        taken = self._take(row, line)
        if taken is None or (isinstance(taken, str) and not taken.strip()):
            return None
        steps = _number(taken)
        try:
            micros = self._micros(steps)
            self._run = self._run + 1 if micros == self._last else 0
            self._last = micros
            return to_datetime(micros + min(self._run, max(int(self._per) - 1, 0)))
        except (OverflowError, ValueError):
            raise UncleanError("counts to a time outside the years 1 to 9999") from None

    def _micros(self, steps: Decimal) -> int:
        if self._unit != "month":
            return self._start + int((steps * self._per).to_integral_value())
        if steps % 1:
            raise UncleanError("expected a whole number of months")
        moved = to_datetime(self._start) + relativedelta(months=int(steps))
        return from_rfc3339(moved.isoformat())


def _number(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise UncleanError("expected a number of the counter's unit")
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        raise UncleanError("expected a number of the counter's unit") from None
    if not number.is_finite() or number.adjusted() > 20:
        raise UncleanError("expected a number of the counter's unit")
    return number


def _by_format(text: str, pattern: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007
    except ValueError:
        raise UncleanError(f"does not fit the stated format {pattern}") from None


def _by_order(text: str, order: Order) -> Any:
    """Numbers alone are left to cleaning."""
    if not text or text.replace(".", "", 1).isdigit():
        return text or None
    found = _DATE.fullmatch(text)
    places = _PLACES[order]
    if found is None or len(found[places[0] + 1]) != 4:
        raise UncleanError(
            f"is no date and time in the stated order {order}, such as {_LIKE[order]}"
        )
    if found[4] is None or (found[5] is None and found[8] is None):
        raise UncleanError("has no time of day")
    year, month, day = (int(found[place + 1]) for place in places)
    micros = int((found[7] or "")[:6].ljust(6, "0"))
    try:
        hour = _hour(int(found[4]), found[8])
        made = datetime(year, month, day, hour, int(found[5] or 0), int(found[6] or 0), micros)  # noqa: DTZ001
    except ValueError:
        raise UncleanError(f"is no date in the stated order {order}") from None
    return made if found[9] is None else _with_offset(made, found[9])


_LIKE = {"ymd": "2024/05/31 10:00", "dmy": "31/05/2024 10:00", "mdy": "05/31/2024 10:00"}


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError
    return hour % 12 + (12 if half in "Pp" else 0)


def _with_offset(made: datetime, offset: str) -> datetime:
    text = "+00:00" if offset in "Zz" else offset
    return datetime.fromisoformat(made.isoformat() + text)


def _local(naive: datetime, zone: ZoneInfo, doubled: str, note: Callable[[str], None]) -> datetime:
    earlier, later = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    try:
        if earlier.utcoffset() == later.utcoffset():
            return earlier.astimezone(UTC)
        moment = earlier.astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) != naive:
            raise UncleanError(f"does not exist in {zone.key}: clocks went forward over it")
    except OverflowError:
        raise UncleanError("lies outside the years 1 to 9999") from None
    if doubled == "refuse":
        raise UncleanError(f"came twice in {zone.key}: clocks went back over it")
    note(DOUBLED.format(doubled))
    return (earlier if doubled == "earlier" else later).astimezone(UTC)
