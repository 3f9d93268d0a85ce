"""Routing: which routes take an alert, by severity, merchant, amount and calendar."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.alerts.routing import DAYS, faults_of, severity_of, takes
from domain.alerts import alert_of
from domain.events import Envelope, ModelAlertRaised, Route
from domain.model_alerts import model_alert
from domain.times import from_datetime
from tests.fakes.events import NOW, scored
from tests.fakes.rules import rule

ROUTE = Route(name="r", to="webhook", url="http://h/")


def raised(now: int = NOW, outcome: str = "decline", **fields: object) -> Envelope:
    found = alert_of(scored("t-1", outcome=outcome), "tests", now)
    assert found is not None
    return replace(found, data=replace(found.data, **fields))


def at(text: str, zone: str = "UTC") -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def test_severity_is_that_of_the_rules_else_of_the_outcome() -> None:
    low = replace(rule("a"), code="a", severity="low")
    rules = [low, replace(rule("b"), code="b", severity="critical")]
    assert severity_of(raised(), rules) == "high"
    assert severity_of(raised(outcome="review"), rules) == "medium"
    assert severity_of(raised(reasons=["policy.a", "model.x"]), rules) == "low"
    assert severity_of(raised(reasons=["policy.a", "policy.b"]), rules) == "critical"


def test_a_route_takes_its_severity_and_above() -> None:
    taken = [each for each in ("low", "medium", "high", "critical")
             if takes(replace(ROUTE, severity="high"), raised(), each)]  # fmt: skip
    assert taken == ["high", "critical"]


def test_merchants_and_amounts_are_about_payments_alone() -> None:
    data = ModelAlertRaised(
        alert_id="a-1", model_id="m-1", model_hash="h", measure="scores", value=0.4, limit=0.25,
        summary="scores drifted", features=[], since=0, until=NOW,
    )  # fmt: skip
    about_model = model_alert(data, "tests", NOW)
    some = replace(ROUTE, merchants=["m-1", "m-2"])
    much = replace(ROUTE, amount=1000)
    assert takes(ROUTE, about_model, "high")
    assert not takes(some, about_model, "high")
    assert not takes(much, about_model, "high")
    assert takes(some, raised(merchant_id="m-2"), "high")
    assert not takes(some, raised(merchant_id="m-3"), "high")
    assert takes(much, raised(amount=1, base_amount=1000), "high")
    assert not takes(much, raised(amount=5000, base_amount=999), "high")
    assert takes(much, raised(amount=1000, base_amount=None), "high")


def test_a_route_takes_nothing_that_was_raised_before_it_was_published() -> None:
    assert not takes(replace(ROUTE, since=NOW + 1), raised(), "high")
    assert takes(replace(ROUTE, since=NOW), raised(), "high")


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-03-06T21:59:59", False),  # a Friday
        ("2026-03-06T22:00:00", True),
        ("2026-03-07T05:59:59", True),  # still Friday's night
        ("2026-03-07T06:00:00", False),
        ("2026-03-07T23:00:00", False),
        ("2026-03-05T23:00:00", False),
    ],
)
def test_hours_past_midnight_belong_to_the_day_on_which_they_begin(
    moment: str, inside: bool
) -> None:
    night = replace(ROUTE, hours="22:00-06:00", days=["fri"], zone="Europe/Berlin")
    assert takes(night, raised(at(moment, "Europe/Berlin")), "high") == inside


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_local_hours_hold_on_the_days_when_clocks_change(day: str) -> None:
    office = replace(ROUTE, hours="08:00-18:00", zone="Europe/Berlin")
    for hour, inside in (("07:59", False), ("08:00", True), ("17:59", True), ("18:00", False)):
        assert takes(office, raised(at(f"{day}T{hour}", "Europe/Berlin")), "high") == inside


@given(
    st.integers(0, 7 * 24 * 60 - 1), st.integers(0, 1439), st.integers(0, 1439),
    st.sets(st.sampled_from(DAYS)), st.sampled_from([-11, 0, 9]),
)  # fmt: skip
def test_a_calendar_is_a_set_of_minutes_of_the_week(
    minute: int, first: int, last: int, days: set[str], shift: int
) -> None:
    if first == last:
        return
    monday = datetime(2026, 3, 2, tzinfo=timezone(timedelta(hours=shift)))
    moment = monday + timedelta(minutes=minute)
    hours = f"{first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02}"
    zone = f"Etc/GMT{-shift:+d}" if shift else "UTC"
    route = replace(ROUTE, hours=hours, days=sorted(days), zone=zone)
    wanted = {
        (number * 1440 + each) % 10_080
        for number, day in enumerate(DAYS)
        if not days or day in days
        for each in range(first, last if last > first else last + 1440)
    }
    inside = takes(route, raised(from_datetime(moment.astimezone(UTC))), "high")
    assert inside == (minute in wanted)


@pytest.mark.parametrize(
    ("route", "field"),
    [
        (replace(ROUTE, name="A"), "name"),
        (replace(ROUTE, name="webhook"), "name"),
        (replace(ROUTE, url="ftp://h/"), "url"),
        (replace(ROUTE, url=""), "url"),
        (replace(ROUTE, url="http://user:pass@h/"), "url"),
        (replace(ROUTE, secret="whsec_abc"), "secret"),
        (Route(name="p", to="pagerduty"), "secret"),
        (Route(name="s", to="slack", secret="S", replies="R"), "replies"),
        (Route(name="s", to="slack", secret="S", url="https://hooks/"), "url"),
        (Route(name="e", to="email", url="smtp://h:25", sender="a@b"), "from"),
        (Route(name="e", to="email", url="http://h", sender="a@b", recipients=["c@d"]), "url"),
        (replace(ROUTE, recipients=["c@d"]), "from"),
        (replace(ROUTE, hours="8-18"), "hours"),
        (replace(ROUTE, hours="08:00-08:00"), "hours"),
        (replace(ROUTE, days=["monday"]), "days"),
        (replace(ROUTE, zone="Mars/Olympus"), "zone"),
        (replace(ROUTE, amount=10**13), "base_amount_minor"),
        (replace(ROUTE, at_most=10_001), "at_most"),
    ],
)
def test_what_is_wrong_with_a_route_is_named(route: Route, field: str) -> None:
    assert [name for name, _ in faults_of(route)] == [field]


def test_whole_days_end_at_24_00() -> None:
    assert faults_of(replace(ROUTE, hours="00:00-24:00")) == []
    assert takes(replace(ROUTE, hours="18:00-24:00"), raised(at("2026-03-06T23:59:59")), "high")
