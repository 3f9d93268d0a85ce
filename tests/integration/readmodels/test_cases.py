"""Cases in PostgreSQL: the alerts of one payer in one day, and what was done, in any order."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.cases import case_id_of, overdue_id
from domain.errors import InvalidInputError, NotFoundError
from domain.events import (
    AlertDelivered,
    AlertRaised,
    CaseAction,
    CaseApprovalRequested,
    CaseHandled,
    Envelope,
)
from domain.times import DAY, HOUR, MINUTE
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.port import Position
from eventlog.topics import ALERTS
from host.processes import wait_until
from operations.monitoring.overdue_cases import OverdueWatch
from projections.ports import CheckedRecord
from projections.readmodels.adapters.postgres import alerts_projection
from projections.readmodels.adapters.writers import AlertsWriter
from projections.readmodels.queries.cases import CaseFilter, Cases, pending
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


def test_suppressed_alerts_open_no_case_and_are_not_counted_in_one(engine: Engine) -> None:
    facts = [
        raised("a"), raised("b", suppressed_by="quiet"),
        raised("c", customer_id="ben", suppressed_by="quiet"),
    ]  # fmt: skip
    project_all(alerts_projection(engine), history(*facts))
    [case] = Cases(engine).queue(CaseFilter()).items
    assert (case.payer_id, case.alerts, case.base_amount) == ("anna", 1, 1_000)
    # Who looks at the case sees what was silenced, too.
    assert [each.suppressed_by for each in Cases(engine).history(ANNA).alerts] == [None, "quiet"]


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
    assert cases.of_message("pager", overdue_id(ANNA, NOON), 2) == [ANNA]
    with pytest.raises(InvalidInputError, match="more than 1 cases"):
        cases.of_message("pager", "digest", 1)


async def test_a_case_that_nobody_dealt_with_is_said_to_be_overdue_once(engine: Engine) -> None:
    ben = raised("b", customer_id="ben", base_amount=1_000_000)
    done = handled("dispose", NOON + 1, verdict="undetermined")
    facts = [raised("a", base_amount=1_000_000), done, ben]
    log, cases = history(*facts), Cases(engine)
    project_all(alerts_projection(engine), log)
    [case] = cases.queue(CaseFilter()).items
    assert case.due_time == NOON + HOUR
    assert cases.waiting(NOON + HOUR) == {1: (1, 0), 2: (0, 0), 3: (0, 0), 4: (0, 0)}
    assert cases.waiting(NOON + HOUR + 1)[1] == (1, 1)
    now, kept = [NOON + HOUR], InMemoryEventLog()
    watch = OverdueWatch(kept, cases, 1, "tests", lambda: now[0])
    assert await watch.step() == 0
    now[0] += 1
    assert [await watch.step(), await watch.step()] == [1, 0]
    [fact] = [decode(each.value) for each in kept.read(ALERTS)]
    assert (fact.id, fact.data.case_id) == (overdue_id(case.case_id, NOON + HOUR), case.case_id)
    # Another process finds it said, once it is in the read model.
    log.append(fact)
    project_all(alerts_projection(engine), log)
    assert await OverdueWatch(kept, cases, 1, "other", lambda: now[0]).step() == 0
    [said] = cases.history(case.case_id).events
    assert (said.action, said.state) == ("overdue", None)
    # What was missed long ago is in the queue, and nobody is told.
    assert cases.overdue(NOON + HOUR + 1, NOON + 9 * DAY, 9) == []


async def test_a_request_waits_in_the_queue_until_it_is_answered(engine: Engine) -> None:
    asked = CaseApprovalRequested(case_id=ANNA, action="close", by="mara")
    request = envelope(asked, "request-1", NOON + 1, NOON + 1, ANNA)
    log, cases = history(raised("a"), request, request), Cases(engine)
    project_all(alerts_projection(engine), log)
    found = cases.history(ANNA)
    assert (found.case.state, found.case.awaiting) == ("open", 1)
    assert [each.event_id for each in pending(found.events)] == ["request-1"]
    alone = handled("close", NOON + 2, "2", request="request-1", approved_by="Mara")
    log.append(alone)
    project_all(alerts_projection(engine), log)
    assert cases.history(ANNA).case.state == "open"
    log.append(handled("close", NOON + 3, "3", request="request-1", approved_by="tom"))
    project_all(alerts_projection(engine), log)
    found = cases.history(ANNA)
    assert (found.case.state, found.case.awaiting, pending(found.events)) == ("closed", 0, [])


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
