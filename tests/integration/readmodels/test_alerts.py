"""Alerts in PostgreSQL: projected once, with their first delivery."""

from typing import Any

from sqlalchemy import Engine

from domain.events import AlertDelivered, AlertRaised, Envelope
from domain.times import DAY, MINUTE
from eventlog.topics import ALERTS
from projections.readmodels.adapters.postgres import alerts_projection
from projections.readmodels.queries.read_models import ReadModels, forget
from projections.readmodels.queries.results import AlertFilter
from tests.builders.read_model_facts import NOON, CheckedLog, caused, project_all
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
