"""Records made many at a time, and texts of times, are what they are one by one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import repeat

from hypothesis import given
from hypothesis import strategies as st

from domain.records import record, records_of
from domain.times import from_rfc3339, to_rfc3339

_LEAST, _MOST = -62_135_596_800_000_000, 253_402_300_799_999_999


@record(frozen=True, slots=True, kw_only=True)
class Pair:
    left: int
    right: str | None = None


@dataclass(slots=True)
class Plain:
    left: int
    right: str | None


@given(st.lists(st.tuples(st.integers(), st.none() | st.text()), max_size=20))
def test_records_of_columns_are_those_made_one_by_one(rows: list[tuple[int, str | None]]) -> None:
    lefts, rights = [left for left, _ in rows], [right for _, right in rows]
    made = records_of(Pair, right=rights, left=lefts)
    assert made == [Pair(left=left, right=right) for left, right in rows]
    assert list(map(hash, made)) == [hash(Pair(left=left, right=right)) for left, right in rows]
    assert records_of(Plain, left=lefts, right=repeat("x")) == [Plain(left, "x") for left in lefts]


@given(st.integers(_LEAST, _MOST) | st.sampled_from([_LEAST, -1, 0, 1, 3_599_999_999, _MOST]))
def test_a_time_is_written_as_the_calendar_has_it(micros: int) -> None:
    written = (datetime(1970, 1, 1) + timedelta(microseconds=micros)).isoformat()  # noqa: DTZ001
    assert to_rfc3339(micros) == f"{written}Z"
    assert from_rfc3339(to_rfc3339(micros)) == micros
