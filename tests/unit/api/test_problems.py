"""Every error becomes a problem detail with the status of its kind."""

import inspect
import json
from typing import Any

import httpx
import pyarrow as pa
import pytest

import domain.errors
from api.body import MOST_BATCH_BYTES, MOST_BYTES, BodyTooLargeError
from api.errors import MEDIA_TYPE, problem
from commands.intake.payload import MalformedPayloadError
from domain.errors import (
    ConflictError,
    FencedError,
    FieldError,
    IntegrityError,
    InvalidInputError,
    InvalidTransactionError,
    LogUnavailableError,
    NotFoundError,
    NotOwnedError,
    RetraceError,
    SettingsError,
    UnavailableError,
    UndecodableError,
    UnverifiedError,
)
from tests.builders.api_bench import Api, payload

KINDS: dict[type[RetraceError], tuple[RetraceError, int, str]] = {
    type(error): (error, status, kind)
    for error, status, kind in [
        (RetraceError("x"), 500, "internal"),
        (InvalidInputError("limit", "x"), 422, "invalid-input"),
        (InvalidTransactionError([FieldError("lat", "x")]), 422, "invalid-input"),
        (MalformedPayloadError("body", "x"), 400, "malformed-body"),
        (BodyTooLargeError("body", "x"), 413, "body-too-large"),
        (NotFoundError("decision", "x"), 404, "not-found"),
        (ConflictError("x", "y"), 409, "conflict"),
        (UnavailableError("redis", "x"), 503, "unavailable"),
        (LogUnavailableError("x"), 503, "unavailable"),
        (NotOwnedError("x"), 503, "unavailable"),
        (UnverifiedError("x"), 401, "unverified"),
        (FencedError("x"), 500, "internal"),
        (UndecodableError("x"), 500, "internal"),
        (SettingsError("x"), 500, "internal"),
        (IntegrityError("x"), 500, "internal"),
    ]
}


def test_every_kind_of_error_has_a_status_in_the_table() -> None:
    kinds = {
        kind
        for _, kind in inspect.getmembers(domain.errors, inspect.isclass)
        if issubclass(kind, RetraceError)
    }
    assert kinds - KINDS.keys() == set()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_has_its_status_and_says_what_is_wrong(kind: type[RetraceError]) -> None:
    error, status, name = KINDS[kind]
    got, body = problem(error, "/somewhere")
    assert (got, body["status"]) == (status, status)
    assert body["type"] == f"urn:retrace:problem:{name}"
    assert body["detail"] == str(error)
    assert body["instance"] == "/somewhere"
    assert body["title"]


def is_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert {"type", "title", "detail", "instance"} <= body.keys()
    return body


async def test_every_wrong_field_is_named(api: Api) -> None:
    wrong = payload(amount=-1, lat=91, currency="XXXX")
    body = is_problem(await api.post("/score", wrong), 422)
    assert {"amount", "lat", "currency"} <= {error["field"] for error in body["errors"]}
    assert body["instance"] == "/score"


@pytest.mark.parametrize(
    "sent", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"amount": NaN}', b"[" * 100_000]
)
async def test_what_is_no_json_object_is_malformed(api: Api, sent: bytes) -> None:
    for path in ("/score", "/transactions", "/labels"):
        is_problem(await api.client.post(path, content=sent), 400)


async def test_a_body_that_is_too_large_is_refused_while_it_is_read(api: Api) -> None:
    for path in ("/score", "/transactions", "/labels"):
        response = await api.client.post(path, content=b" " * (MOST_BYTES + 1))
        assert str(MOST_BYTES) in is_problem(response, 413)["detail"]
    large = b"\n" * (MOST_BATCH_BYTES + 1)
    is_problem(await api.client.post("/transactions/batch", content=large), 413)


async def test_an_id_used_for_other_content_is_a_conflict(api: Api) -> None:
    assert (await api.post("/score", payload())).status_code == 200
    for path in ("/score", "/transactions"):
        is_problem(await api.post(path, payload(amount=5)), 409)


async def test_an_unknown_id_is_not_found_and_named(api: Api) -> None:
    for path in ("/transactions/none", "/decisions/none"):
        body = is_problem(await api.get(path), 404)
        assert "'none'" in body["detail"]
        assert body["instance"] == path


async def test_a_decision_that_is_pending_is_not_found_yet(api: Api) -> None:
    assert (await api.post("/transactions", payload())).status_code == 202
    body = is_problem(await api.get("/decisions/12345"), 404)
    assert "yet" in body["detail"]
    assert (await api.get("/transactions/12345")).json()["status"] == "submitted"


async def test_without_the_log_nothing_is_accepted_and_a_retry_is_asked_for(api: Api) -> None:
    await api.post("/score", payload("known"))
    api.context.log.close()
    for path in ("/score", "/transactions"):
        response = await api.post(path, payload("new"))
        assert is_problem(response, 503)["server"] == "kafka"
        assert int(response.headers["Retry-After"]) >= 1
    response = await api.post("/labels", {"transaction_id": "known"})
    assert is_problem(response, 503)["server"] == "kafka"


async def test_a_list_whose_store_is_away_is_unavailable(api: Api) -> None:
    for path in ("/decisions", "/alerts"):
        response = await api.get(path)
        assert is_problem(response, 503)["server"] == "postgresql"
        assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/decisions?limit=0", "limit"),
        ("/decisions?outcome=maybe", "outcome"),
        ("/decisions?since=yesterday", "since"),
        ("/alerts?until=2023-13-01", "until"),
        ("/alerts?state=lost", "state"),
        ("/alerts?card_id=%00", "card_id"),
        ("/transactions/12345?raw=perhaps", "raw"),
    ],
)
async def test_a_wrong_parameter_is_named(api: Api, path: str, field: str) -> None:
    body = is_problem(await api.get(path), 422)
    assert [error["field"] for error in body["errors"]] == [field]


async def test_wrong_paths_and_methods_are_problems_too(api: Api) -> None:
    is_problem(await api.get("/nowhere"), 404)
    response = await api.get("/score")
    is_problem(response, 405)
    assert response.headers["Allow"] == "POST"


async def test_an_unexpected_error_shows_no_details_and_is_counted(api: Api) -> None:
    await api.post("/score", payload())
    api.evidence.trouble = ZeroDivisionError("a secret")
    body = is_problem(await api.get("/transactions/12345", raw=True), 500)
    assert "secret" not in str(body)
    assert 'status="500"' in (await api.get("/metrics")).text


async def test_an_instance_is_a_reference_whatever_the_id_holds(api: Api) -> None:
    for path in ("/decisions/a%3Fb%23c", "/decisions/%C3%BC", "/decisions/a%20b"):
        assert is_problem(await api.get(path), 404)["instance"] == path


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
async def test_o22_a_packed_body_is_read_as_the_plain_one(api: Api, codec: str) -> None:
    plain = json.dumps(payload()).encode()
    packed = await _packed(api, codec, plain)
    again = await api.client.post("/score", content=plain)
    assert (packed.status_code, again.status_code) == (200, 200)
    assert packed.json() == again.json()


async def _packed(api: Api, codec: str, body: bytes, cut: int = 0) -> httpx.Response:
    content = pa.compress(body, codec=codec, asbytes=True)
    content = content[: len(content) - cut]
    return await api.client.post("/score", content=content, headers={"Content-Encoding": codec})


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
async def test_a_packed_body_that_is_cut_or_too_large_is_refused(api: Api, codec: str) -> None:
    cut = await _packed(api, codec, json.dumps(payload()).encode(), cut=9)
    assert (cut.status_code, cut.json()["detail"]) == (400, f"body: is not whole {codec}")
    large = await _packed(api, codec, b" " * (MOST_BYTES + 1))
    assert (large.status_code, large.json()["errors"][0]["field"]) == (413, "body")


async def test_another_packing_is_answered_415_with_those_that_are_read(api: Api) -> None:
    answer = await api.client.post("/score", content=b"x", headers={"Content-Encoding": "br"})
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "gzip, zstd, identity"
    assert answer.json()["type"].endswith("unsupported-media-type")


async def test_a_client_that_hangs_up_is_no_error_of_ours(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def nobody(_message: Any) -> None:
        return

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/score",
        "query_string": b"",
        "headers": [],
        "app": api.app,
    }
    await api.app(scope, gone, nobody)
    assert caplog.records == []
