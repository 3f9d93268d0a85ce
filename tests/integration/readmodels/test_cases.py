"""Cases in PostgreSQL: the alerts of one payer in one day, and what was done, in any order."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.cases import case_id_of
from domain.errors import InvalidInputError, NotFoundError
from domain.events import AlertDelivered, AlertRaised, CaseAction, CaseHandled, Envelope
from domain.times import DAY, HOUR, MINUTE
from eventlog.port import Position
from eventlog.topics import ALERTS
from host.processes import wait_until
from projections.ports import CheckedRecord
from projections.readmodels.adapters.postgres import alerts_projection
from projections.readmodels.adapters.writers import AlertsWriter
from projections.readmodels.queries.cases import CaseFilter, Cases
from projections.readmodels.queries.read_models import ReadModels, forget
from projections.readmodels.storage.connecting import transaction
from projections.readmodels.storage.driver import driver_cursor
from tests.builders.read_model_facts import NOON, CheckedLog, caused, envelope, project_all
from tests.builders.table_contents import dump, rows


def raised(key: str, known: int = NOON, time: int = NOON, **given: Any) -> Envelope:
    fields: dict[str, Any] = {"customer_id": "anna", "base_amount": 1_000, "score": 0.5} | given
    data = AlertRaised(
        alert_id=f"alert-{key}", transaction_id=key, outcome="decline", reasons=[],
        amount=1250, currency="USD", transaction_time=time, **fields,
    )  # fmt: skip
    return caused(data, known)


ANNA = case_id_of(raised("a").data)


def handled(action: CaseAction, known: int, key: str = "1", **given: Any) -> Envelope:
    data = CaseHandled(case_id=ANNA, action=action, by="mara", **given)
    return envelope(data, f"handled-{key}", known, known, ANNA)


def history(*facts: Envelope) -> CheckedLog:
    log = CheckedLog(ALERTS.name, partitions=1)
    log.append(*facts)
    return log


def test_alerts_of_one_payer_and_day_are_one_case(engine: Engine) -> None:
    facts = [
        raised("a"), raised("b", NOON + HOUR, base_amount=40_000), raised("c", time=NOON + DAY),
        raised("d", customer_id="ben"), raised("e", customer_id=None, card_id="tok_1"),
        raised("f", customer_id=None), raised("a", NOON + MINUTE),
    ]  # fmt: skip
    project_all(alerts_projection(engine), history(*facts))
    page = Cases(engine).queue(CaseFilter())
    found = {(c.payer_kind, c.payer_id, c.alerts, c.base_amount) for c in page.items}
    assert found == {
        ("customer", "anna", 2, 41_000), ("customer", "anna", 1, 1_000),
        ("customer", "ben", 1, 1_000), ("card", "tok_1", 1, 1_000), ("transaction", "f", 1, 1_000),
    }  # fmt: skip
    assert page.items[0].case_id == ANNA
    assert (page.items[0].priority, page.items[0].due_time) == (2, NOON + 4 * HOUR)
    assert (page.items[1].priority, page.items[1].due_time) == (4, NOON + 3 * DAY)


def test_a_case_goes_from_hand_to_hand_and_a_new_alert_opens_it_again(engine: Engine) -> None:
    projection, log, cases = alerts_projection(engine), history(raised("a")), Cases(engine)
    steps: list[tuple[Envelope, str, str | None]] = [
        (handled("assign", NOON + 1, "1", to="tom"), "assigned", "tom"),
        (handled("note", NOON + 2, "2", note="called"), "assigned", "tom"),
        (handled("escalate", NOON + 3, "3", to="lead"), "escalated", "lead"),
        (handled("dispose", NOON + 4, "4", verdict="fraud"), "disposed", "lead"),
        (handled("dispose", NOON + 5, "4", verdict="genuine"), "disposed", "lead"),
        (raised("b", NOON + 6), "reopened", "lead"),
    ]
    for fact, state, assignee in steps:
        log.append(fact)
        project_all(projection, log)
        found = cases.history(ANNA)
        assert (found.case.state, found.case.assignee) == (state, assignee)
    assert found.case.verdict == "fraud"
    assert [each.action for each in found.events] == ["assign", "note", "escalate", "dispose"]
    assert [each.transaction_id for each in found.alerts] == ["a", "b"]
    [sums] = ReadModels(engine).accounting({ALERTS.name: log.ends()})
    assert (sums.projected, sums.void, sums.unaccounted) == (6, 1, 0)
    with pytest.raises(NotFoundError, match="case"):
        cases.history("case-unknown")


def test_a_message_is_of_the_cases_of_its_alerts(engine: Engine) -> None:
    ben = raised("b", customer_id="ben")
    sent = [
        AlertDelivered(
            alert_id=f"alert-{name}", transaction_id=name, receiver="hook", attempts=1,
            route="pager", key="digest",
        )
        for name in "ab"
    ]  # fmt: skip
    facts = [raised("a"), ben, raised("c", customer_id="cid")]
    deliveries = [caused(each, NOON + 1, n) for n, each in enumerate(sent)]
    project_all(alerts_projection(engine), history(*facts, *deliveries))
    cases = Cases(engine)
    both = sorted([ANNA, case_id_of(ben.data)])
    assert cases.of_message("pager", "digest", 2) == both
    assert cases.of_message("other", "digest", 2) == []
    assert cases.of_message("pager", "alert-b", 2) == [case_id_of(ben.data)]
    assert cases.of_message("pager", ANNA, 2) == [ANNA]
    with pytest.raises(InvalidInputError, match="more than 1 cases"):
        cases.of_message("pager", "digest", 1)


def test_the_queue_is_paged_and_asked_by_state_payer_and_assignee(engine: Engine) -> None:
    many = [raised(f"t{n}", customer_id=f"c{n}", base_amount=n * 700) for n in range(9)]
    facts = [*many, raised("a"), handled("assign", NOON + 1, to="tom")]
    project_all(alerts_projection(engine), history(*facts))
    cases = Cases(engine)
    whole = [each.case_id for each in cases.queue(CaseFilter()).items]
    paged, cursor = list[str](), None
    while True:
        page = cases.queue(CaseFilter(), 3, cursor)
        paged += [each.case_id for each in page.items]
        if (cursor := page.cursor) is None:
            break
    assert paged == whole
    assert len(whole) == 10
    for asked in (
        CaseFilter(state="assigned"), CaseFilter(payer_id="anna"), CaseFilter(assignee="tom"),
    ):  # fmt: skip
        assert [each.case_id for each in cases.queue(asked).items] == [ANNA]
    assert cases.queue(CaseFilter(done=True)).items == []


def test_an_alert_of_an_id_used_anew_leaves_its_old_case(engine: Engine) -> None:
    again = raised("a", NOON + 401 * DAY, NOON + 401 * DAY)
    project_all(alerts_projection(engine), history(raised("a"), again), 1)
    [case] = Cases(engine).queue(CaseFilter()).items
    assert case.case_id == case_id_of(again.data) != ANNA


_FACTS = st.lists(
    st.one_of(
        st.builds(
            raised,
            st.sampled_from("abc"),
            st.integers(NOON, NOON + 9),
            st.sampled_from([NOON, NOON + DAY]),
            customer_id=st.sampled_from(["anna", "ben", None]),
            score=st.floats(0, 1),
        ),
        st.builds(
            handled,
            st.sampled_from(["assign", "note", "escalate", "dispose", "close", "reopen"]),
            st.integers(NOON, NOON + 9),
            st.sampled_from("1234"),
            to=st.sampled_from([None, "tom"]),
        ),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(_FACTS, st.integers(1, 5))
def test_rebuilt_cases_are_identical_whatever_the_batches(
    engine: Engine, facts: list[Envelope], size: int
) -> None:
    contents = []
    for each in (100, size):
        forget(engine)
        project_all(alerts_projection(engine), history(*facts), each)
        contents.append(dump(engine))
    assert contents[0] == contents[1]


def test_writers_of_two_partitions_count_every_alert_of_a_case(engine: Engine) -> None:
    def checked(key: str, partition: int) -> list[CheckedRecord]:
        return [CheckedRecord(Position(ALERTS.name, partition, 0), raised(key), "counts")]

    def of_the_other() -> None:
        projection = alerts_projection(engine)
        projection.assign(1)
        projection.project({1: checked("b", 1)})

    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with ThreadPoolExecutor() as pool, transaction(engine) as connection:
        AlertsWriter().write(driver_cursor(connection), checked("a", 0))
        other = pool.submit(of_the_other)
        assert wait_until(lambda: rows(engine, waiting) == [(1,)], 10)
        connection.commit()
        other.result()
    assert Cases(engine).history(ANNA).case.alerts == 2
