"""POST /score and its neighbours, as curl, shops and banks use them."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from time import monotonic
from typing import Any

import httpx
import pytest

from bench.live.load import Generator, offer
from tests.e2e.stack import RunningStack, body, eventually, rows, score

STREAM_SECONDS = 20.0
CURL_BODY = '{"transaction_id": "12345", "amount": 100.00, "timestamp": "2023-10-01T12:34:56Z"}'


def test_the_curl_line_is_decided_once_and_found_everywhere(stack: RunningStack) -> None:
    with stack.client() as client, ThreadPoolExecutor(20) as pool:
        answers = [a.json() for a in pool.map(lambda _: score(client, CURL_BODY), range(20))]
        first = answers[0]
        assert all(answer == first for answer in answers)
        assert 0 <= first["score"] <= 1
        assert first["outcome"] in ("approve", "review", "step_up", "decline")
        assert first["reasons"]
        detail = client.get("/decisions/12345").json()
        assert detail["score"] == first["score"]
        assert detail["features"]
        explained = client.get("/transactions/12345/explanation").json()
        assert explained["decision"]["score"] == first["score"]
        assert explained["counterfactuals"]["tried"] > 1
    told = json.loads(stack.retrace("explain", "12345", "--json").stdout)
    # Which files are archived by then differs, and nothing else does.
    assert told | {"cost": None} == explained | {"cost": None}
    tail = stack.retrace("events", "tail", "--id", "12345", "--json").stdout.splitlines()
    assert any("fraud.transaction.scored.v1" in line for line in tail)
    stored = eventually(
        lambda: rows(stack, "SELECT score, outcome FROM decisions WHERE transaction_id = '12345'")
    )
    assert stored == [(first["score"], first["outcome"])]

    stack.retrace("down")
    stack.up()
    with stack.client() as client:
        assert score(client, CURL_BODY).json() == first


def test_other_content_under_the_same_id_is_a_conflict(stack: RunningStack) -> None:
    with stack.client() as client:
        assert score(client, body("conflict-1")).status_code == 200
        refused = score(client, body("conflict-1", amount=26))
        assert refused.status_code == 409
        assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transaction_id", ""),
        ("amount", "-1"),
        ("amount", "12.345"),
        ("timestamp", "yesterday"),
        ("timestamp", "2999-01-01T00:00:00Z"),
        ("currency", "XXQ"),
        ("mcc", "12345"),
        ("ip", "1.2.3"),
        ("country", "Atlantis"),
        ("lat", 91),
        ("channel", "telepathy"),
        ("attributes", "none"),
    ],
)
def test_a_problem_names_each_bad_field(stack: RunningStack, field: str, value: object) -> None:
    with stack.client() as client:
        answer = score(client, json.dumps(json.loads(body("bad-input")) | {field: value}))
    assert answer.status_code == 422
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in {error["field"] for error in problem["errors"]}
    assert field in problem["detail"]


def test_what_is_not_json_is_a_problem_too(stack: RunningStack) -> None:
    with stack.client() as client:
        for sent in ("", "{", "[]", '{"amount": NaN}'):
            answer = score(client, sent)
            assert answer.status_code == 400
            assert answer.json()["errors"][0]["field"] == "body"


def test_payments_of_an_open_loop_are_decided_by_the_model(stack: RunningStack) -> None:
    bodies = (body(f"open-{number}").encode() for number in itertools.count())
    url = f"http://127.0.0.1:{stack.port}"
    generator = Generator([url], "/score", bodies, lambda d: [d["path"]])
    found = offer(generator, 5.0, 3.0, Random(1))
    assert (found.failed, found.told) == ({}, {"full": found.requests})


def test_submissions_are_decided_by_the_agent_and_can_be_polled(stack: RunningStack) -> None:
    with stack.client() as client:
        answer = client.post("/transactions", content=body("polled-1", note="kept as received"))
        assert answer.status_code == 202
        location = answer.headers["location"]
        eventually(lambda: client.get(location).json()["status"] == "decided")
        found = client.get(location, params={"raw": "true"}).json()
        assert found["decision"]["transaction_id"] == "polled-1"
        assert "kept as received" in found["raw"]
        assert found["transaction"]["attributes"] == {"note": "kept as received"}


def test_a_batch_answers_line_by_line(stack: RunningStack) -> None:
    lines = [body("batch-1"), "{", body("batch-2", amount="x"), body("batch-3")]
    with stack.client() as client:
        answer = client.post("/transactions/batch", content="\n".join(lines))
        results = [json.loads(line) for line in answer.text.splitlines()]
        assert [result["status"] for result in results] == [202, 400, 422, 202]
        eventually(lambda: client.get("/decisions/batch-3").status_code == 200)


def test_decisions_are_listed_with_filters_and_pages(stack: RunningStack) -> None:
    with stack.client() as client:
        for number in range(5):
            assert score(client, body(f"page-{number}", customer_id="pager")).status_code == 200

        def listed() -> list[str]:
            found, cursor = [], None
            while True:
                asked: dict[str, str | int] = {"customer_id": "pager", "limit": 2}
                asked |= {"cursor": cursor} if cursor else {}
                page = client.get("/decisions", params=asked).json()
                found += [item["transaction_id"] for item in page["items"]]
                cursor = page["next_cursor"]
                if cursor is None:
                    return found

        eventually(lambda: listed() == [f"page-{n}" for n in (4, 3, 2, 1, 0)])
        wrong = client.get("/decisions", params={"cursor": "nonsense"})
        assert wrong.status_code == 422
        assert wrong.json()["errors"][0]["field"] == "cursor"


def test_the_live_stream_tells_of_each_decision(stack: RunningStack) -> None:
    with (
        stack.client() as client,
        ThreadPoolExecutor(1) as pool,
        client.stream("GET", "/decisions/stream", timeout=STREAM_SECONDS) as stream,
    ):
        assert stream.status_code == 200
        sent = pool.submit(score, client, body("streamed-1"))
        streamed = first_event(stream, "streamed-1")
        answer = sent.result()
    assert answer.status_code == 200, answer.text
    assert streamed is not None, f"no event of the decision within {STREAM_SECONDS} s"
    assert (streamed["score"], streamed["outcome"]) == (
        answer.json()["score"],
        answer.json()["outcome"],
    )


def first_event(stream: httpx.Response, transaction_id: str) -> dict[str, Any] | None:
    """The first event about the transaction; None at the deadline, and where the stream ends."""
    deadline = monotonic() + STREAM_SECONDS
    # Without a line, not even a sign of life, the client itself gives up.
    with suppress(httpx.ReadTimeout):
        for line in stream.iter_lines():
            if line.startswith("data:") and transaction_id in line:
                event: dict[str, Any] = json.loads(line.removeprefix("data:"))
                return event
            if monotonic() > deadline:
                break
    return None


def test_health_readiness_metrics_and_openapi_answer(stack: RunningStack) -> None:
    with stack.client() as client:
        assert client.get("/health").json() == {"status": "ok"}
        ready = client.get("/ready").json()
        assert ready["ready"]
        assert set(ready["servers"].values()) == {"ok"}
        score(client, body("measured-1"))
        assert "retrace_decisions_total" in client.get("/metrics").text
        schema = client.get("/openapi.json").json()
        content = schema["paths"]["/score"]["post"]["requestBody"]["content"]
        assert content["application/json"]["schema"]["examples"]
