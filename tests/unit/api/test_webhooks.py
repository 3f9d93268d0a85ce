"""Replies of receivers: each by its published payload moves a case, once; others are refused."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from commands.policy.active import ActivePolicy
from domain.errors import NotFoundError
from domain.events import CaseHandled, Route
from domain.policy.snapshot import NO_POLICY
from domain.times import MINUTE
from eventlog.codec import decode
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import ALERTS
from projections.readmodels.queries.cases import CaseHistory, StoredCase, StoredCaseEvent
from projections.readmodels.queries.read_models import ReadModels
from tests.builders.alerts.published_replies import (
    SECRET,
    STANDARD_SECRET,
    Sent,
    alertmanager,
    jira,
    opsgenie,
    pagerduty,
    standard,
)
from tests.builders.api_bench import Api, running
from tests.fakes.deciding import NOW, FixedScorer

CASE = "case-" + "0123456789" * 2
KEY = "fraud.transaction.scored/t-1/fraud.alert.raised/0"
ROUTES = tuple(
    Route(name=f"by-{kind}", to=kind, secret="OUT", replies=secret)  # type: ignore[arg-type]
    for kind, secret in (
        ("pagerduty", "IN"),
        ("opsgenie", "IN"),
        ("jira", "IN"),
        ("alertmanager", "BASIC"),
        ("webhook", "STANDARD"),
    )
)
SILENT = Route(name="silent", to="pagerduty", secret="OUT")
UNSET = Route(name="unset", to="pagerduty", secret="OUT", replies="UNSET")
SECRETS = {"IN": f"before {SECRET}", "BASIC": "am:pass", "STANDARD": STANDARD_SECRET}


class Projected(ReadModels):
    """The read model of one alert and its case, made from the log at once."""

    def __init__(self, log: InMemoryEventLog) -> None:
        object.__setattr__(self, "log", log)

    @property
    def cases(self) -> Any:
        return self

    def of_message(self, route: str, key: str, most: int) -> list[str]:
        assert route.startswith("by-")
        assert most
        return [CASE] if key in (KEY, CASE) else []

    def history(self, case_id: str) -> CaseHistory:
        if case_id != CASE:
            raise NotFoundError("case", case_id)
        log: InMemoryEventLog = self.log  # type: ignore[attr-defined]
        facts = [decode(record.value) for record in log.read(ALERTS)]
        events = [
            StoredCaseEvent(
                event_id=each.id, case_id=CASE, action=each.data.action, by=each.data.by,
                known_time=NOW, state=None, to=None, verdict=None, transactions=None, note=None,
                wanted=None, request=None, approved_by=None,
                source_topic="t", source_partition=0, source_offset=0,
            )
            for each in facts
        ]  # fmt: skip
        closed = bool(events) and events[-1].action == "close"
        case = StoredCase(
            case_id=CASE, payer_kind="card", payer_id="c", alerts=1, declined=1,
            first_alert_time=0, last_alert_time=0, base_amount=0, expected_loss=0,
            state="closed" if closed else "open", assignee=None, verdict=None, handled_time=None,
            handled_by=None,
        )  # fmt: skip
        return CaseHistory(case, [], events)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    log = InMemoryEventLog()
    snapshot = replace(NO_POLICY, routes=(*ROUTES, SILENT, UNSET))
    policy = ActivePolicy(snapshot, FixedScorer(0.1))
    async with running(log, read_models=Projected(log), secrets=SECRETS, policy=policy) as api:
        yield api


async def sent(api: Api, route: str, what: Sent) -> Any:
    body, headers = what
    return await api.client.post(f"/webhooks/{route}", content=body, headers=headers)


def handled(api: Api) -> list[CaseHandled]:
    return [decode(record.value).data for record in api.context.log.read(ALERTS)]


@pytest.mark.parametrize(
    ("kind", "what", "action", "by"),
    [
        ("pagerduty", pagerduty("incident.acknowledged", KEY), "acknowledge", "Tenex Engineer"),
        ("pagerduty", pagerduty("incident.resolved", KEY), "close", "Tenex Engineer"),
        ("opsgenie", opsgenie("Acknowledge", KEY), "acknowledge", "fahri@example.com"),
        ("opsgenie", opsgenie("Close", KEY), "close", "fahri@example.com"),
        ("opsgenie", opsgenie("AddNote", KEY, note="called"), "note", "fahri@example.com"),
        ("jira", opsgenie("Acknowledge", KEY), "acknowledge", "fahri@example.com"),
        ("jira", jira("indeterminate", CASE), "acknowledge", "Bryan Rollins"),
        ("jira", jira("done", CASE), "close", "Bryan Rollins"),
        ("alertmanager", alertmanager("resolved", KEY), "close", None),
        ("webhook", standard("alert.acknowledged", NOW, key=KEY, by="mara"), "acknowledge", "mara"),
        ("webhook", standard("alert.resolved", NOW, case_id=CASE), "close", None),
    ],
)
async def test_what_a_receiver_says_is_done_once(
    api: Api, kind: str, what: Sent, action: str, by: str | None
) -> None:
    route = f"by-{kind}"
    first = await sent(api, route, what)
    assert first.status_code == 200, first.text
    [result] = first.json()["results"]
    assert result == {"case_id": CASE, "action": action, "status": "recorded", "detail": ""}
    [fact] = handled(api)
    assert (fact.action, fact.by) == (action, f"{by} ({route})" if by else route)
    again = await sent(api, route, what)
    assert [each["status"] for each in again.json()["results"]] == ["duplicate"]
    assert len(handled(api)) == 1


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("pagerduty", pagerduty("pagey.ping", KEY)),
        ("pagerduty", pagerduty("incident.triggered", KEY)),
        ("opsgenie", opsgenie("Create", KEY)),
        ("jira", jira("done", CASE, field="assignee")),
        ("jira", jira("new", CASE)),
        ("alertmanager", alertmanager("firing", KEY)),
        # It ran out, and nobody said that it is over.
        ("alertmanager", alertmanager("resolved", KEY, "2023-10-02T12:58:00Z")),
        ("webhook", standard("user.created", NOW)),
    ],
)
async def test_what_only_tells_does_nothing(api: Api, kind: str, what: Sent) -> None:
    answer = await sent(api, f"by-{kind}", what)
    assert (answer.status_code, answer.json()) == (200, {"results": []})
    assert handled(api) == []


def forged(what: Sent) -> Sent:
    """Its body is another one, and its headers are as they were."""
    return what[0].replace(b"t-1", b"t-2").replace(b"shop", b"shoq"), what[1]


@pytest.mark.parametrize(
    ("route", "what"),
    [
        ("by-pagerduty", forged(pagerduty("incident.resolved", KEY))),
        ("by-pagerduty", (pagerduty("incident.resolved", KEY)[0], {})),
        ("by-jira", forged(jira("done", CASE))),
        ("by-jira", (jira("done", CASE)[0], {})),
        ("by-opsgenie", (opsgenie("Close", KEY)[0], {"Authorization": "Bearer other"})),
        ("by-opsgenie", (opsgenie("Close", KEY)[0], {})),
        ("by-alertmanager", (alertmanager("resolved", KEY)[0], {"Authorization": "Basic eA=="})),
        ("by-webhook", forged(standard("alert.resolved", NOW, key=KEY, by="t-1"))),
        ("by-webhook", standard("alert.resolved", NOW - 6 * MINUTE, key=KEY)),
        ("by-webhook", standard("alert.resolved", NOW + 6 * MINUTE, key=KEY)),
        ("by-webhook", (standard("alert.resolved", NOW, key=KEY)[0], {})),
        ("unset", pagerduty("incident.resolved", KEY)),
    ],
)
async def test_who_does_not_know_the_secret_is_refused(api: Api, route: str, what: Sent) -> None:
    answer = await sent(api, route, what)
    assert answer.status_code == 401, answer.text
    assert answer.json()["type"] == "urn:retrace:problem:unverified"
    assert SECRET not in answer.text
    assert handled(api) == []


@pytest.mark.parametrize("route", ["nobody", "silent"])
async def test_a_route_without_replies_takes_none(api: Api, route: str) -> None:
    answer = await sent(api, route, pagerduty("incident.resolved", KEY))
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("pagerduty", pagerduty("incident.resolved", "somebody else's")),
        ("opsgenie", opsgenie("Close", "somebody else's")),
        ("alertmanager", alertmanager("resolved", "somebody else's")),
        ("webhook", standard("alert.resolved", NOW, key="somebody else's")),
    ],
)
async def test_an_alert_that_is_not_known_is_named(api: Api, kind: str, what: Sent) -> None:
    answer = await sent(api, f"by-{kind}", what)
    assert answer.status_code == 404
    assert 'no alert or case with id "somebody else\'s"' in answer.json()["detail"]


@pytest.mark.parametrize(
    ("kind", "said", "field"),
    [
        ("opsgenie", b'{"action": "Close"}', "alert"),
        ("opsgenie", b'{"action": "Close", "alert": {"alertId": "1"}}', "alert.alias"),
        ("opsgenie", b'{"action": 7}', "action"),
        ("alertmanager", b'{"version": "3", "alerts": []}', "version"),
        ("alertmanager", b'{"version": "4", "alerts": [7]}', "alerts[0]"),
    ],
)
async def test_a_body_of_another_shape_is_refused_by_name(
    api: Api, kind: str, said: bytes, field: str
) -> None:
    headers = (alertmanager if kind == "alertmanager" else opsgenie)("", "")[1]
    answer = await sent(api, f"by-{kind}", (said, headers))
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_what_does_not_go_with_the_state_is_told_and_not_done(api: Api) -> None:
    await sent(api, "by-pagerduty", pagerduty("incident.resolved", KEY))
    late = await sent(api, "by-pagerduty", pagerduty("incident.acknowledged", KEY, "other"))
    [result] = late.json()["results"]
    assert (late.status_code, result["status"]) == (200, "refused")
    assert "is closed: reopen it first" in result["detail"]
    assert len(handled(api)) == 1
    again = await sent(api, "by-pagerduty", pagerduty("incident.reopened", KEY, "third"))
    assert again.json()["results"][0]["status"] == "recorded"
