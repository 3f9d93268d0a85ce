"""A training frame of served values holds what was known at its moment, and nothing later."""

import math
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from domain.errors import InvalidInputError, UnavailableError
from domain.features import CATALOGUE
from domain.times import DAY, HOUR, MINUTE, to_datetime
from inference.frame.frame import Frame
from operations.training.served_frame import served_frame
from runtime.composition.training import open_training
from runtime.settings import settings_from_environment

START = 1_700_000_000_000_000
moments = st.integers(0, 40).map(lambda step: START + step * DAY // 4 + step % 3)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def frame_of(database_url: str, moment: int) -> Frame:
    with open_training(settings_from_environment(database_url=database_url)) as ports:
        return served_frame(ports.served, moment)


@dataclass(frozen=True)
class Label:
    known_time: int
    value: int


@dataclass(frozen=True)
class Row:
    time: int
    known_time: int
    first: float | None
    last: float | None
    labels: list[Label]


def as_decided(row: Row) -> Row:
    """Nothing is decided that lies more than five minutes in the future."""
    return replace(row, time=min(row.time, row.known_time + 5 * MINUTE))


rows = st.builds(
    Row,
    time=moments,
    known_time=moments,
    first=numbers,
    last=numbers,
    labels=st.lists(st.builds(Label, known_time=moments, value=st.integers(0, 1)), max_size=4),
).map(as_decided)


def decide(connection: psycopg.Connection[Any], name: str, known: int, **changes: Any) -> None:
    row = {
        "transaction_id": name, "outcome": "approve", "score": 0.5, "reasons": [], "path": "full",
        "flags": [], "timestamp": to_datetime(START), "known_time": to_datetime(known), "amount": 1,
        "currency": "USD", "base_amount": 1, "model_id": "m", "model_hash": "h",
        "policy_version": 0, "threshold_review": 1.0, "threshold_step_up": 1.0,
        "threshold_decline": 1.0, "feature_set": CATALOGUE.hash,
        "features": [None, *map(float, range(1, len(CATALOGUE)))], "versions": "{}",
        "timings_us": "{}", "fingerprint": "f", "source_topic": "x", "source_partition": 0,
        "source_offset": 0,
    } | changes  # fmt: skip
    connection.execute(
        sql.SQL("INSERT INTO decisions ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        ),
        list(row.values()),
    )


def store(database_url: str, history: list[Row], **changes: Any) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("TRUNCATE decisions, labels")
        offset = 0
        for number, row in enumerate(history):
            values = [row.first, *[None] * (len(CATALOGUE) - 2), row.last]
            facts = {"timestamp": to_datetime(row.time), "features": values} | changes
            decide(connection, f"t{number}", row.known_time, **facts)
            for label in row.labels:
                offset += 1
                connection.execute(
                    "INSERT INTO labels VALUES (%s, %s, %s, 'chargeback', 'r', %s, %s, 'x', 0, %s)",
                    (f"t{number}", f"e{offset}", label.value, f"e{offset}",
                     to_datetime(label.known_time), offset),
                )  # fmt: skip


def expected(history: list[Row], moment: int) -> list[tuple[int, float, float, float]]:
    """(time, label, first, last) of each row, straight from the rule; NaN for unknown."""
    found = []
    for number, row in enumerate(history):
        if row.known_time > moment:
            continue
        known = [label for label in row.labels if label.known_time <= moment]
        label = float(known[-1].value) if known else math.nan
        first, final = (math.nan if x is None else x for x in (row.first, row.last))
        found.append((row.time, f"t{number}", label, first, final))
    return [(time, label, a, b) for time, _, label, a, b in sorted(found, key=lambda r: r[:2])]


@given(history=st.lists(rows, min_size=1, max_size=12), moment=moments)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_frame_is_what_was_known_then(database_url: str, history: list[Row], moment: int) -> None:
    store(database_url, history)
    wanted = expected(history, moment)
    if not wanted:
        with pytest.raises(InvalidInputError, match="nothing was decided"):
            frame_of(database_url, moment)
        return
    frame = frame_of(database_url, moment)
    got = zip(
        frame.times.tolist(), frame.labels.tolist(),
        frame.vectors[:, 0].tolist(), frame.vectors[:, -1].tolist(), strict=True,
    )  # fmt: skip
    # repr tells every bit apart, and one NaN like another.
    assert [repr(row) for row in got] == [repr(row) for row in wanted]
    assert frame.vectors.shape == (len(wanted), len(CATALOGUE.names))
    assert frame.payments is not None
    assert frame.payments.matured[:, 0].tolist() == matured(history, moment, 7 * DAY)


def matured(history: list[Row], moment: int, delay: int) -> list[int]:
    """The label known by then of each row so long after it, -1 for none; in the frame's order."""
    found = []
    for number, row in enumerate(history):
        if row.known_time <= moment:
            until = min(moment, row.time + delay)
            known = [label.value for label in row.labels if label.known_time <= until]
            found.append((row.time, f"t{number}", known[-1] if known else -1))
    return [value for _, _, value in sorted(found)]


def test_a_frame_tells_owners_amounts_and_declines_of_its_payments(database_url: str) -> None:
    store(database_url, [])
    who = [("card", None), ("card", "who"), (None, "who"), (None, "card"), (None, None)]
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        for number, (card, customer) in enumerate(who):
            given = {"card_id": card, "customer_id": customer, "base_amount": 100 + number}
            outcome = "decline" if number % 2 else "review"
            decide(connection, f"t{number}", START, **given, outcome=outcome)
    payments = frame_of(database_url, START).payments
    assert payments is not None
    first, same, person, another, nobody = payments.holders.tolist()
    assert (first == same, nobody) == (True, 0)
    assert len({first, person, another, nobody}) == 4
    assert payments.amounts.tolist() == [100, 101, 102, 103, 104]
    assert payments.declined.tolist() == [False, True, False, True, False]


def test_a_reversal_counts_from_its_own_known_time_on(database_url: str) -> None:
    reported, reversed_at = START + DAY, START + 2 * DAY
    store(database_url, [Row(START, START, 1.0, None, [Label(reported, 1), Label(reversed_at, 0)])])
    before = START + DAY // 2
    assert math.isnan(frame_of(database_url, before).labels[0])
    assert frame_of(database_url, reversed_at - 1).labels.tolist() == [1.0]
    assert frame_of(database_url, reversed_at).labels.tolist() == [0.0]


def test_vectors_of_other_features_are_left_out(database_url: str) -> None:
    store(database_url, [Row(START, START, 1.0, None, [])], feature_set="an older one")
    with pytest.raises(InvalidInputError, match="as_known_at"):
        frame_of(database_url, START + DAY)


def test_served_values_are_of_decisions_made_by_then_that_read_them(database_url: str) -> None:
    store(database_url, [Row(START, START, 7.0, 7.0, [Label(START + HOUR, 1)])])
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("TRUNCATE decisions")
        decide(connection, "t0", START)
        decide(connection, "stale", START, flags=["stale_features"], path="fallback")
        decide(connection, "late", START + DAY)
        decide(connection, "slow", START, flags=["no_card", "deadline_passed"], path="deadline")
        decide(connection, "lost", START, flags=["features_unavailable"], path="fallback")
        decide(connection, "other", START, feature_set="an older one", features=[1.0])
    frame = frame_of(database_url, START + HOUR)
    assert [repr(label) for label in frame.labels.tolist()] == ["nan", "1.0"]
    recorded = [math.nan, *map(float, range(1, len(CATALOGUE)))]
    assert list(map(repr, frame.vectors.tolist())) == [repr(recorded)] * 2
    assert len(frame_of(database_url, START + DAY)) == 3
    with pytest.raises(InvalidInputError, match="come with decisions"):
        frame_of(database_url, START - 1)


def test_a_server_that_is_away_is_named() -> None:
    away = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    with pytest.raises(UnavailableError, match="postgresql"):
        frame_of(away, START)
