"""Times under a mapping: date orders, patterns, counters, zones."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.imports.mapping.binding import bind
from commands.imports.mapping.model import Counter, FieldMapping, FileMapping, Unit
from commands.imports.mapping.times import MIDNIGHT
from commands.imports.mapping.yaml_file import parse_mapping
from domain.cleaning.moments import clean_moment
from domain.errors import InvalidInputError, InvalidTransactionError
from domain.times import to_rfc3339
from tests.unit.commands.imports.mapping.mapped_rows import BASE, ROW, read


def counter(unit: Unit) -> Counter:
    return Counter(unit, "2024-01-01T00:00:00Z")


def times(row: Mapping[str, Any], **how: Any) -> str:
    how = how if "columns" in how else {"column": "when", **how}
    moment = read(row, timestamp=FieldMapping(**how))["timestamp"]
    micros = clean_moment(moment, 2**62)
    assert micros is not None
    return to_rfc3339(micros)


def refused(row: Mapping[str, Any], **how: Any) -> str:
    with pytest.raises(InvalidTransactionError) as caught:
        read(row, timestamp=FieldMapping(column="when", **how))
    (error,) = caught.value.errors
    assert error.field == "timestamp"
    return error.message


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("03/04/2026 10:00", "dmy", "2026-04-03T10:00:00Z"),
        ("03/04/2026 10:00", "mdy", "2026-03-04T10:00:00Z"),
        ("3.4.2026 9:05:07.25", "dmy", "2026-04-03T09:05:07.250000Z"),
        ("3/4/2026 12:30 AM", "mdy", "2026-03-04T00:30:00Z"),
        ("3/4/2026, 12:30 p.m.", "mdy", "2026-03-04T12:30:00Z"),
        ("2022/09/01 00:20", "ymd", "2022-09-01T00:20:00Z"),
        ("2022-9-1 0:20+02:00", "ymd", "2022-08-31T22:20:00Z"),
        ("2022-09-01T00:20:00Z", "ymd", "2022-09-01T00:20:00Z"),
    ],
)
def test_a_date_is_read_in_the_stated_order(text: str, order: str, moment: str) -> None:
    assert times({"when": text}, order=order) == moment


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("31/12/2026 10:00", "is no date in the stated order mdy"),
        ("2026/12/31 10:00", "stated order mdy, such as 05/31/2024 10:00"),
        ("12/31/26 10:00", "stated order mdy, such as"),
        ("12/31/2026", "has no time of day"),
        ("12/31/2026 13:00 PM", "is no date"),
        ("soon", "stated order mdy"),
    ],
)
def test_a_date_that_does_not_fit_the_stated_order_is_refused(text: str, said: str) -> None:
    assert said in refused({"when": text}, order="mdy")


def test_a_time_is_composed_of_columns() -> None:
    row = {"Year": "2019", "Month": "3", "Day": 4, "Time": "06:21"}
    found = times(row, columns=("Year", "Month", "Day", "Time"), order="ymd")
    assert found == "2019-03-04T06:21:00Z"


def test_a_time_is_read_by_a_stated_pattern() -> None:
    assert times({"when": "04-Mar-19 0621"}, format="%d-%b-%y %H%M") == "2019-03-04T06:21:00Z"
    assert "stated format" in refused({"when": "4 March"}, format="%d-%b-%y %H%M")


def test_a_pattern_without_a_time_of_day_is_told_and_half_a_day_is_refused() -> None:
    when = FieldMapping(column="when", format="%d%m%Y")
    binding = bind(["id", "when", "a"], FileMapping(fields={**BASE, "timestamp": when}))
    binding.payload({**ROW, "when": "04032019"})
    assert binding.notes == [MIDNIGHT]
    text = "fields: {timestamp: {column: when, format: '%d.%m.%Y %I:%M'}}"
    with pytest.raises(InvalidInputError, match="needs %p"):
        parse_mapping(text, "a.yaml")


@pytest.mark.parametrize(
    ("unit", "steps", "moment"),
    [
        ("hour", "1", "2024-01-01T01:00:00Z"), ("day", 31.0, "2024-02-01T00:00:00Z"),
        ("second", Decimal("1.5"), "2024-01-01T00:00:01.500000Z"),
        ("month", 3, "2024-04-01T00:00:00Z"), ("week", 1, "2024-01-08T00:00:00Z"),
        ("minute", " 2 ", "2024-01-01T00:02:00Z"), ("ms", 1500, "2024-01-01T00:00:01.500000Z"),
        ("100ns", 15_000_000, "2024-01-01T00:00:01.500000Z"),
    ],
)  # fmt: skip
def test_a_counter_is_counted_from_its_start(unit: Unit, steps: Any, moment: str) -> None:
    found = times({"when": steps}, counter=counter(unit))
    assert found == moment


@pytest.mark.parametrize("steps", ["x", True, "nan", 1e300, 10**15, "1e400", [], 0.5])
def test_what_is_no_count_is_refused(steps: Any) -> None:
    assert refused({"when": steps}, counter=counter("month"))


@given(st.lists(st.integers(0, 5), max_size=30))
def test_equal_steps_keep_the_order_of_the_file(steps: list[int]) -> None:
    steps.sort()
    mapping = FileMapping(
        fields={**BASE, "timestamp": FieldMapping(column="t", counter=counter("hour"))}
    )
    binding = bind(list(ROW), mapping)
    moments = [binding.payload({**ROW, "t": step})["timestamp"] for step in steps]
    assert moments == sorted(set(moments))
    assert len(moments) == len(steps)
    assert all(moment.microsecond < 30 and not moment.second for moment in moments)


def test_local_times_are_moved_to_utc() -> None:
    berlin = "Europe/Berlin"
    assert times({"when": "2026-07-01 10:00"}, zone=berlin) == "2026-07-01T08:00:00Z"
    assert times({"when": "2026-07-01 10:00Z"}, zone=berlin) == "2026-07-01T10:00:00Z"
    assert times({"when": "01/07/2026 10:00"}, zone=berlin, order="dmy") == "2026-07-01T08:00:00Z"
    assert times({"when": 1717149600}, zone=berlin) == "2024-05-31T10:00:00Z"
    naive = datetime(2026, 1, 1, 10)  # noqa: DTZ001
    assert times({"when": naive}, zone=berlin) == "2026-01-01T09:00:00Z"


def test_an_hour_that_a_zone_leaves_out_is_refused() -> None:
    assert "does not exist in Europe/Berlin" in refused(
        {"when": "2026-03-29 02:30"}, zone="Europe/Berlin"
    )


@pytest.mark.parametrize(
    ("doubled", "moment"), [("earlier", "2026-10-25T00:30:00Z"), ("later", "2026-10-25T01:30:00Z")]
)
def test_a_doubled_hour_is_read_as_stated_and_told(doubled: Any, moment: str) -> None:
    mapping = FileMapping(
        fields={
            **BASE,
            "timestamp": FieldMapping(column="t", zone="Europe/Berlin", doubled=doubled),
        }
    )
    binding = bind(list(ROW), mapping)
    assert (
        to_rfc3339(
            clean_moment(binding.payload({**ROW, "t": "2026-10-25 02:30"})["timestamp"], 2**62) or 0
        )
        == moment
    )
    assert binding.notes == [f"timestamps of a doubled hour, read as the {doubled}"]
    binding.payload({**ROW, "t": "2026-10-25 03:30"})
    assert binding.notes == []
    assert "came twice" in refused(
        {"when": "2026-10-25 02:30"}, zone="Europe/Berlin", doubled="refuse"
    )
