"""Alerts in PostgreSQL: projected once, with their first delivery."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from domain.errors import NotFoundError
from domain.events import AlertDelivered, AlertDeliveryFailed, AlertRaised, Envelope
from domain.times import DAY, MINUTE
from eventlog.topics import ALERTS
from projections.readmodels.adapters.postgres import alerts_projection
from projections.readmodels.queries.read_models import ReadModels, forget
from projections.readmodels.queries.results import AlertFilter, DeliveryFilter
from tests.builders.read_model_facts import NOON, CheckedLog, caused, envelope, project_all
from tests.builders.table_contents import dump


def raised(key: str, known: int = NOON, **given: Any) -> Envelope:
    fields = {"customer_id": "anna", "card_id": "tok_1", "merchant_id": "kiosk"} | given
    data = AlertRaised(
        alert_id=f"alert-{key}", transaction_id=key, outcome="decline", score=0.93,
        reasons=["velocity"], amount=1250, currency="USD", transaction_time=NOON, **fields,
    )  # fmt: skip
    return caused(data, known)


def delivered(key: str, known: int = NOON + MINUTE, receiver: str = "hook") -> Envelope:
    data = AlertDelivered(
        alert_id=f"alert-{key}", transaction_id=key, receiver=receiver, attempts=2
    )
    return caused(data, known)


def history(*facts: Envelope) -> CheckedLog:
    log = CheckedLog(ALERTS.name, partitions=1)
    log.append(*facts)
    return log


def test_an_alert_is_raised_and_then_delivered(engine: Engine) -> None:
    project_all(alerts_projection(engine), history(raised("a"), raised("b"), delivered("a")), 1)
    page = ReadModels(engine).alerts_for(AlertFilter(state="delivered"))
    [alert] = page.items
    assert (alert.transaction_id, alert.receiver, alert.attempts) == ("a", "hook", 2)
    assert alert.delivered_time == NOON + MINUTE
    [waiting] = ReadModels(engine).alerts_for(AlertFilter(state="raised")).items
    assert (waiting.transaction_id, waiting.delivered_time) == ("b", None)


def test_a_suppressed_alert_is_counted_and_says_by_what(engine: Engine) -> None:
    facts = history(raised("a"), raised("b", suppressed_by="load-test"))
    project_all(alerts_projection(engine), facts, 1)
    [silent] = ReadModels(engine).alerts_for(AlertFilter(state="suppressed")).items
    assert (silent.transaction_id, silent.suppressed_by) == ("b", "load-test")
    [other] = ReadModels(engine).alerts_for(AlertFilter(state="raised")).items
    assert (other.transaction_id, other.suppressed_by) == ("a", None)


def test_the_first_raising_and_the_first_delivery_count(engine: Engine) -> None:
    log = history(
        raised("a"), raised("a", NOON + MINUTE, customer_id="ben"), delivered("unknown"),
        delivered("a"), delivered("a", NOON + DAY, "late"),
    )  # fmt: skip
    project_all(alerts_projection(engine), log)
    [alert] = ReadModels(engine).alerts_for(AlertFilter()).items
    assert (alert.customer_id, alert.receiver, alert.raised_time) == ("anna", "hook", NOON)
    [sums] = ReadModels(engine).accounting({ALERTS.name: log.ends()})
    assert (sums.projected, sums.void, sums.unaccounted) == (2, 3, 0)


def test_alerts_of_an_id_used_anew_replace_the_old_ones(engine: Engine) -> None:
    again = raised("a", NOON + 401 * DAY, customer_id="ben")
    project_all(alerts_projection(engine), history(raised("a"), delivered("a"), again))
    [alert] = ReadModels(engine).alerts_for(AlertFilter()).items
    assert (alert.customer_id, alert.state) == ("ben", "raised")


def test_rebuilt_alerts_are_identical_whatever_the_batches(engine: Engine) -> None:
    log = history(raised("a"), delivered("a"), raised("b"), raised("a"), delivered("b"))
    project_all(alerts_projection(engine), log, 1)
    one_by_one = dump(engine)
    forget(engine)
    project_all(alerts_projection(engine), log, 100)
    assert dump(engine) == one_by_one


def test_alerts_are_found_by_customer_merchant_card_and_transaction(engine: Engine) -> None:
    others: dict[str, Any] = {"customer_id": "ben", "merchant_id": "bank", "card_id": "tok_2"}
    project_all(alerts_projection(engine), history(raised("a"), raised("b", **others)))
    for asked in (
        AlertFilter(customer_id="ben"),
        AlertFilter(merchant_id="bank"),
        AlertFilter(card_id="tok_2"),
        AlertFilter(transaction_id="b"),
    ):
        found = ReadModels(engine).alerts_for(asked).items
        assert [alert.transaction_id for alert in found] == ["b"]


def failed(key: str, attempts: int, known: int, **given: Any) -> Envelope:
    data = AlertDeliveryFailed(
        alert_id=f"alert-{key}", route="pager", key=f"alert-{key}", receiver="desk",
        attempts=attempts, outcome="answered 500", failures=attempts, retry_at=known + 1, **given,
    )  # fmt: skip
    return envelope(data, f"{key}/failed/{attempts}", known, known, key)


def by_route(key: str, route: str, known: int) -> Envelope:
    made = delivered(key, known)
    return replace(made, id=f"{made.id}/{route}", data=replace(made.data, route=route))


def test_the_delivery_log_has_each_attempt_of_each_route_once(engine: Engine) -> None:
    again = failed("a", 1, NOON + 1)
    log = history(
        raised("a"), again, again, failed("a", 2, NOON + 2), by_route("a", "pager", NOON + 3),
        by_route("a", "desk", NOON + 4), by_route("a", "desk", NOON + 4),
        failed("b", 3, NOON + 5, alerts=40, given_up=True),
    )  # fmt: skip
    project_all(alerts_projection(engine), log)
    found = ReadModels(engine).deliveries(DeliveryFilter())
    assert [(each.alert_id, each.route, each.state, each.attempts) for each in found] == [
        ("alert-b", "pager", "given_up", 3),
        ("alert-a", "desk", "delivered", 2),
        ("alert-a", "pager", "delivered", 2),
        ("alert-a", "pager", "failed", 2),
        ("alert-a", "pager", "failed", 1),
    ]
    assert (found[0].alerts, found[3].outcome, found[1].key) == (40, "answered 500", "alert-a")
    assert len(ReadModels(engine).deliveries(DeliveryFilter(alert_id="alert-a"), 2)) == 2
    [kept] = ReadModels(engine).deliveries(DeliveryFilter(route="desk"))
    assert kept.known_time == NOON + 4
    [sums] = ReadModels(engine).accounting({ALERTS.name: log.ends()})
    assert (sums.projected, sums.void, sums.unaccounted) == (6, 2, 0)
    whole = dump(engine)
    forget(engine)
    project_all(alerts_projection(engine), log, 1)
    assert dump(engine) == whole


def test_the_place_of_an_alert_is_found_by_its_id(engine: Engine) -> None:
    project_all(alerts_projection(engine), history(raised("x"), raised("a")))
    assert ReadModels(engine).alert_place("alert-a") == (0, 1)
    with pytest.raises(NotFoundError):
        ReadModels(engine).alert_place("alert-z")
