"""Answers of each route, over the in-memory log."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from api.routes.transactions import MOST_LINES
from api.schemas.decisions import DecisionOut
from commands.imports.flow.back_pressure import LiveDecisions
from domain.errors import UnavailableError
from eventlog.in_memory import InMemoryEventLog
from eventlog.topics import TRANSACTIONS
from operations.log.live_decisions import decisions_of
from projections.readmodels.queries.read_models import ReadModels
from projections.readmodels.queries.results import AlertFilter, DecisionFilter, Page, StoredAlert
from projections.readmodels.queries.results import StoredDecision as Stored
from tests.builders.api_bench import Api, answers, payload, running

ODD_IDS = [
    "a/b",
    "a//b/",
    "100%",
    "%2F",
    "ü ö",
    "日本",
    "a?b#c",
    "a+b&c=d",
    "batch",
    "id;v=1",
    "x" * 128,
]


async def test_curls_own_content_type_is_as_good_as_any(api: Api) -> None:
    for sent in ("application/x-www-form-urlencoded", "text/plain", "application/json"):
        response = await api.client.post(
            "/score", content=json.dumps(payload()), headers={"Content-Type": sent}
        )
        assert response.status_code == 200, response.text
        assert response.json()["outcome"] == "approve"


async def test_scoring_again_gives_the_recorded_decision(api: Api) -> None:
    first = await api.post("/score", payload())
    again = await api.post("/score", payload())
    assert first.json() == again.json()
    detail = (await api.get("/decisions/12345")).json()
    assert detail.items() >= first.json().items()
    assert any(value is not None for value in detail["features"].values())
    assert len(list(api.context.log.read(TRANSACTIONS))) == 2


@pytest.mark.parametrize("transaction_id", ODD_IDS)
async def test_an_id_may_hold_whatever_a_url_can_quote(api: Api, transaction_id: str) -> None:
    receipt = (await api.post("/transactions", payload(transaction_id))).json()
    assert receipt["location"] == "/transactions/" + quote(transaction_id, safe="")
    found = (await api.get(receipt["location"])).json()
    assert (found["transaction_id"], found["status"]) == (transaction_id, "submitted")
    assert (await api.post("/score", payload(transaction_id))).status_code == 200
    decision = await api.get("/decisions/" + quote(transaction_id, safe=""))
    assert decision.json()["transaction_id"] == transaction_id


async def test_a_submission_says_where_to_look_and_whether_it_was_known(api: Api) -> None:
    first = await api.post("/transactions", payload(7))
    assert first.status_code == 202
    assert first.headers["Location"] == "/transactions/7"
    assert not first.json()["recorded"]
    assert (await api.post("/transactions", payload(7))).json()["recorded"]


async def lines_of(api: Api, *lines: Any) -> list[dict[str, Any]]:
    body = b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines)
    response = await api.client.post("/transactions/batch", content=body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


async def test_a_batch_answers_each_line_with_a_receipt_or_a_problem(api: Api) -> None:
    await api.post("/transactions", payload("known"))
    results = await lines_of(
        api,
        payload("a"),
        b"{",
        payload("b", amount=-1),
        payload("known"),
        payload("known", amount=1),
    )
    assert [each["line"] for each in results] == [1, 2, 3, 4, 5]
    assert [each["status"] for each in results] == [202, 400, 422, 202, 409]
    assert results[0]["location"] == "/transactions/a"
    assert results[3]["recorded"]
    assert results[2]["problem"]["errors"][0]["field"] == "amount"


async def test_equal_lines_of_a_batch_are_one_submission(api: Api) -> None:
    results = await lines_of(api, payload("a"), payload("a"), payload("a"))
    assert [each["status"] for each in results] == [202] * 3
    assert {each["transaction_id"] for each in results} == {"a"}
    assert list(await api.context.ledger.undecided()) == ["a"]
    assert (await api.get("/transactions/a")).json()["status"] == "submitted"


async def test_lines_are_numbered_as_an_editor_shows_them(api: Api) -> None:
    results = await lines_of(api, payload("a"), b"", b"  ", b"{", b"")
    assert [(each["line"], each["status"]) for each in results] == [(1, 202), (4, 400)]


async def test_a_line_separator_within_a_text_ends_no_line(api: Api) -> None:
    line = json.dumps(payload("a", attributes={"note": "x\u2028y\x85z"}), ensure_ascii=False)
    assert [each["status"] for each in await lines_of(api, line.encode())] == [202]


async def test_a_batch_of_too_many_lines_is_refused_whole(api: Api) -> None:
    body = b"{}\n" * (MOST_LINES + 1)
    response = await api.client.post("/transactions/batch", content=body)
    assert response.status_code == 422
    assert list(api.context.log.read(TRANSACTIONS)) == []


async def test_an_empty_batch_has_an_empty_answer(api: Api) -> None:
    assert await lines_of(api) == []


@pytest.mark.parametrize(
    ("given", "currency", "told", "minor"),
    [("100.00", "USD", "100.00", 10_000), (92, "KWD", "92.000", 92_000), (5e2, "JPY", "500", 500)],
)
async def test_a_transaction_is_told_in_the_unit_of_its_request(
    api: Api, given: object, currency: str, told: str, minor: int
) -> None:
    await api.post("/transactions", payload(amount=given, currency=currency))
    found = (await api.get("/transactions/12345")).json()["transaction"]
    assert (found["amount"], found["amount_minor"]) == (told, minor)
    assert "base_amount" not in found


async def test_the_payload_as_received_is_shown_from_evidence_or_the_log(api: Api) -> None:
    await api.post("/transactions", payload())
    assert (await api.get("/transactions/12345")).json()["raw"] is None
    from_log = (await api.get("/transactions/12345", raw=True)).json()["raw"]
    assert json.loads(from_log) == payload()
    api.evidence.payloads["12345"] = "as evidence has it"
    assert (await api.get("/transactions/12345", raw=True)).json()["raw"] == "as evidence has it"
    api.evidence.trouble = UnavailableError("mongodb", "away")
    assert (await api.get("/transactions/12345", raw=True)).json()["raw"] == from_log


async def test_a_label_is_recorded_or_parked_until_its_transaction_is_known(api: Api) -> None:
    early = await api.post("/labels", {"transaction_id": "12345"})
    assert (early.status_code, early.json()["status"]) == (202, "parked")
    assert json.loads(api.parked[0])["transaction_id"] == "12345"
    await api.post("/score", payload())
    late = await api.post("/labels", {"transaction_id": "12345"})
    assert (late.status_code, late.json()["status"]) == (201, "recorded")
    assert late.json()["label_id"] == early.json()["label_id"]
    wrong = await api.post("/labels", {"transaction_id": "12345", "kind": "rumour"})
    assert wrong.json()["errors"][0]["field"] == "kind"


DECISION = Stored(
    transaction_id="t-1", outcome="review", score=0.7, reasons=["path.fallback", "policy.busy"],
    path="fallback", flags=[], timestamp=0, known_time=1_500_000, amount=100, currency="EUR",
    base_amount=100,
    card_id=None, customer_id="c-1", merchant_id=None, model_id="m", model_hash="0",
    policy_version=1, threshold_review=0.5, threshold_step_up=0.7, threshold_decline=0.9,
    feature_set="f", features=[], versions={}, timings_us={}, fingerprint="x",
    source_topic="t", source_partition=0, source_offset=0,
    rule_words={"policy.busy": "3 in an hour"},
)  # fmt: skip
ALERT = StoredAlert(
    alert_id="a-1", transaction_id="t-1", state="raised", outcome="review", score=0.7,
    reasons=["path.fallback"], amount=100, currency="EUR", timestamp=0, card_id=None,
    customer_id="c-1", merchant_id=None, raised_time=2_000_000, delivered_time=None,
    receiver=None, attempts=None, base_amount=100, case_id="case-1",
    source_topic="t", source_partition=0, source_offset=0,
)  # fmt: skip


class Rows(ReadModels):
    """One row in each list; remembers what was asked."""

    asked: list[object] = []  # noqa: RUF012 (one test, one subclass)

    def decisions(
        self, asked: DecisionFilter, limit: int = 50, cursor: str | None = None
    ) -> Page[Stored]:
        self.asked.append((asked, limit, cursor))
        return Page([DECISION], "next")

    def alerts_for(
        self, asked: AlertFilter, limit: int = 50, cursor: str | None = None
    ) -> Page[StoredAlert]:
        self.asked.append((asked, limit, cursor))
        return Page([ALERT], None)


async def test_lists_pass_on_their_parameters_and_show_times_and_sentences() -> None:
    class Mine(Rows):
        asked: list[object] = []  # noqa: RUF012

    async with running(InMemoryEventLog(), read_models=Mine(None)) as api:  # type: ignore[arg-type]
        found = await api.get(
            "/decisions", outcome="review", since="1970-01-01T00:00:01Z", limit=7, cursor="here"
        )
        page = found.json()
        assert page["next_cursor"] == "next"
        assert page["items"][0]["decided_at"] == "1970-01-01T00:00:01.500000Z"
        first, ours = page["items"][0]["reasons"]
        assert first["text"] != "path.fallback"
        assert ours == {"code": "policy.busy", "text": "3 in an hour"}
        alerts = (await api.get("/alerts", state="raised", customer_id="c-1")).json()
        for row in (page["items"][0], alerts["items"][0]):
            assert (row["amount"], row["amount_minor"], row["currency"]) == ("1.00", 100, "EUR")
        assert alerts["items"][0]["delivered_at"] is None
        assert Mine.asked == [
            (DecisionFilter(outcome="review", since=1_000_000), 7, "here"),
            (AlertFilter(state="raised", customer_id="c-1"), 50, None),
        ]


async def test_ready_names_each_server_and_only_the_log_is_essential() -> None:
    async def away() -> None:
        raise UnavailableError("somewhere", "refused")

    async with running(InMemoryEventLog(), probes={"kafka": answers, "redis": away}) as api:
        response = await api.get("/ready")
        assert response.status_code == 200
        assert response.json()["servers"] == {"kafka": "ok", "redis": "somewhere: refused"}

    async with running(InMemoryEventLog(), probes={"kafka": away, "redis": answers}) as api:
        response = await api.get("/ready")
        assert (response.status_code, response.json()["ready"]) == (503, False)
        assert response.headers["Retry-After"] == "1"
        assert (await api.get("/health")).status_code == 200


def figure(text: str, start: str) -> float:
    return sum(float(x.rsplit(" ", 1)[1]) for x in text.splitlines() if x.startswith(start))


async def test_metrics_count_decisions_requests_and_records(api: Api) -> None:
    before = (await api.get("/metrics")).text
    await api.post("/score", payload("a/b"))
    await api.get("/transactions/a%2Fb")
    await api.get("/nowhere")
    after = (await api.get("/metrics")).text
    assert figure(before, "retrace_decisions_total") == 0
    assert figure(after, 'retrace_decisions_total{outcome="approve",path="full"}') == 1
    assert figure(before, "retrace_ledger_position") == 0
    assert figure(after, "retrace_ledger_position") == 2
    assert figure(after, "retrace_decision_step_seconds_count") > 0
    count = "retrace_http_request_seconds_count"
    assert figure(after, count + '{method="POST",route="/score",status="200"}') == 1
    shown = 'route="/transactions/{transaction_id:path}",status="200"'
    assert figure(after, f'{count}{{method="GET",{shown}}}') == 1
    assert figure(after, f'{count}{{method="GET",route="unmatched",status="404"}}') == 1
    # What an import looks at before it goes on.
    seen = decisions_of(after)
    assert (decisions_of(before), seen.count, seen.worse) == (LiveDecisions(), 1, 0)
    assert max(seen.within.values()) == 1


async def test_the_answer_to_score_is_what_its_document_says(api: Api) -> None:
    body = (await api.post("/score", payload(card_id="c-1", merchant_id="m-1"))).json()
    assert DecisionOut.model_validate(body).model_dump() == body
    assert (await api.get("/score")).status_code == 405
    assert (await api.post("/score/", {})).status_code in (307, 404)


@pytest.mark.parametrize("transaction_id", ["a/b", "batch", "ü ö"])
async def test_a_step_up_that_ended_decides_its_payment(transaction_id: str) -> None:
    async with running(InMemoryEventLog(), value=0.8) as api:
        place = "/transactions/" + quote(transaction_id, safe="")
        body = {"result": "passed", "reporter": "3ds", "reference": "77"}
        assert (await api.post(f"{place}/step-up", body)).status_code == 404
        assert (await api.post("/score", payload(transaction_id))).json()["outcome"] == "step_up"
        before = (await api.get("/decisions/" + quote(transaction_id, safe=""))).json()
        assert (before["step_up"], before["final_outcome"]) == (None, "step_up")
        first = await api.post(f"{place}/step-up", body)
        assert (first.status_code, first.json()["final_outcome"]) == (201, "approve")
        again = await api.post(f"{place}/step-up", body)
        assert (again.status_code, again.json()["status"]) == (200, "duplicate")
        other = await api.post(f"{place}/step-up", body | {"result": "failed"})
        assert (other.status_code, other.json()["type"]) == (409, "urn:retrace:problem:conflict")
        decision = (await api.get("/decisions/" + quote(transaction_id, safe=""))).json()
        assert (decision["outcome"], decision["final_outcome"]) == ("step_up", "approve")
        assert (await api.get(place)).json()["step_up"] == decision["step_up"]
        assert decision["step_up"]["reference"] == "77"
