"""GET /transactions/{id}/explanation, over the in-memory log."""

from urllib.parse import quote

import pytest

from api.errors import MEDIA_TYPE
from eventlog.in_memory import InMemoryEventLog
from tests.builders.api_bench import Api, payload, running
from tests.builders.decisions.history import MODELS, RecordingReader


async def test_a_decision_is_explained_with_what_would_have_changed_it() -> None:
    log = InMemoryEventLog()
    async with running(log, scorer=MODELS[0], features=RecordingReader(log)) as api:
        for minute in (0, 10):
            at = f"2023-10-01T12:{minute:02}:00Z"
            paid = payload(f"t-{minute}", timestamp=at, card_id="card-1", channel="ecom")
            assert (await api.post("/score", paid)).status_code == 200
        path, known = "/transactions/t-10/explanation", "2023-10-02T00:00:00Z"
        answer = await api.get(path, as_known_at=known)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["transaction_id"], found["status"]) == ("t-10", "decided")
    assert (found["transaction"]["amount"], found["decision"]["outcome"]) == ("100.00", "approve")
    count = next(each for each in found["features"] if each["name"] == "card_count_1h")
    assert (count["value"], count["as_known"], count["total"]) == (1.0, 1.0, 1)
    assert found["as_known"]["differing"] == []
    (more, *_) = found["counterfactuals"]["found"]
    assert (more["changes"][0]["what"], more["outcome"]) == ("amount", "review")


@pytest.mark.parametrize("name", ["a/b", "100%", "ü ö", "a?b#c", "x/explanation", "explanation"])
async def test_odd_ids_are_explained(api: Api, name: str) -> None:
    await api.post("/transactions", payload(name))
    quoted = quote(name, safe="")
    explained = await api.get(f"/transactions/{quoted}/explanation")
    assert explained.status_code == 200, explained.text
    assert (explained.json()["transaction_id"], explained.json()["status"]) == (name, "submitted")
    # With its slash quoted it is an id, and not what is asked of one.
    assert (await api.get(f"/transactions/{quoted}")).json()["transaction_id"] == name


async def test_an_unknown_id_and_a_time_that_is_none_are_problems(api: Api) -> None:
    unknown = await api.get("/transactions/nobody/explanation")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, MEDIA_TYPE)
    await api.post("/transactions", payload())
    wrong = await api.get("/transactions/12345/explanation", as_known_at="yesterday")
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "as_known_at"
