"""Lists over HTTP: which there are, pages of entries, look-ups as conditions see them, changes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from commands.policy.active import ActivePolicy
from commands.policy.rules import publish_rules
from commands.policy.topic import current_policy
from eventlog.in_memory import InMemoryEventLog
from tests.builders.api_bench import Api, running
from tests.fakes.deciding import FixedScorer
from tests.fakes.lists import declared
from tests.fakes.rules import rule

LISTS = [
    declared("stolen"),
    declared("networks", "ip"),
    declared("bins", "bin"),
    declared("names", "name", "payee_name"),
]


@pytest.fixture
def log() -> InMemoryEventLog:
    made = InMemoryEventLog()
    publish_rules(made, [rule()], "f", "", 1, LISTS)
    return made


@pytest.fixture
async def api(log: InMemoryEventLog) -> AsyncIterator[Api]:
    async with running(log) as api:
        yield api


def change(*values: str, change: str = "add", **more: Any) -> dict[str, Any]:
    entries = [{"value": value, **more} for value in values]
    return {"change": change, "entries": entries, "reason": "police", "by": "mara"}


async def test_lists_are_those_of_the_rules_in_force_with_their_last_change(api: Api) -> None:
    before = (await api.get("/policy/lists")).json()["items"]
    assert [(each["name"], each["entries"], each["version"]) for each in before] == [
        ("bins", 0, None), ("names", 0, None), ("networks", 0, None), ("stolen", 0, None),
    ]  # fmt: skip
    made = await api.post("/policy/lists/networks/entries", change("10.0.0.0/8", "10.0.0.1"))
    assert (made.status_code, made.json()["entries"]) == (201, 2)
    after = (await api.get("/policy/lists")).json()["items"][2]
    assert (after["entries"], after["by"], after["reason"]) == (2, "mara", "police")
    assert after["version"] == made.json()["version"]


async def test_card_numbers_become_tokens_wherever_they_are_written(
    api: Api, log: InMemoryEventLog
) -> None:
    body = change("4111 1111 1111 1111", reason="says 4111111111111111 or so")
    body["reason"] = "4111111111111111 was stolen"
    assert (await api.post("/policy/lists/stolen/entries", body)).status_code == 201
    (entry,) = (await api.get("/policy/lists/stolen/entries")).json()["items"]
    shown = str(entry) + (await api.get("/policy/lists")).text
    assert "4111111111111111" not in shown.replace(" ", "")
    found = (await api.get("/policy/lists/stolen/look-up", value="4111111111111111")).json()
    assert [each["text"] for each in found["entries"]] == [entry["text"]]
    assert current_policy(log).lists.in_force["stolen"].match(entry["text"], 0).value


async def test_entries_come_in_pages_that_lose_none(api: Api) -> None:
    names = [f"c-{number:02}" for number in range(25)]
    await api.post("/policy/lists/stolen/entries", change(*names))
    read: list[str] = []
    cursor = None
    while True:
        asked = {"limit": 10, **({"cursor": cursor} if cursor else {})}
        page = (await api.get("/policy/lists/stolen/entries", **asked)).json()
        read += [each["text"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        # What is taken out behind the cursor shifts no page.
        await api.post("/policy/lists/stolen/entries", change("c-00", change="remove"))
    assert read == names
    assert (await api.get("/policy/lists/stolen/entries", cursor="x")).status_code == 422


async def test_a_removed_entry_is_gone_and_an_added_one_takes_the_place_of_its_text(
    api: Api,
) -> None:
    url = "/policy/lists/stolen/entries"
    await api.post(url, change("c-1", "c-2", reason="old"))
    await api.post(url, change("c-1", until="2026-01-31T00:00:00+01:00", reason="new"))
    await api.post(url, change("c-2", change="remove"))
    (entry,) = (await api.get(url)).json()["items"]
    assert (entry["text"], entry["reason"], entry["until"]) == (
        "c-1",
        "new",
        "2026-01-30T23:00:00Z",
    )


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("unknown", change("c-1"), 404, None),
        ("stolen", change("c-1", change="replace"), 422, "change"),
        ("stolen", change() | {"entries": []}, 422, "entries"),
        ("stolen", change("c-1") | {"by": " "}, 422, "by"),
        ("stolen", change("c-1") | {"why": "x"}, 422, "body"),
        ("networks", change("10.0.0.1", "10.0.0.300"), 422, "entries[1].value"),
        ("stolen", change("c-1", until="soon"), 422, "entries[0].until"),
        ("stolen", [], 400, None),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_changed(
    api: Api, path: str, body: Any, status: int, field: str | None
) -> None:
    answer = await api.post(f"/policy/lists/{path}/entries", body)
    assert answer.status_code == status, answer.text
    if field is not None:
        assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert all(each["version"] is None for each in (await api.get("/policy/lists")).json()["items"])


async def test_a_look_up_says_what_a_condition_sees(log: InMemoryEventLog) -> None:
    async with running(log) as writing:
        await writing.post("/policy/lists/networks/entries", change("10.0.0.0/8"))
        await writing.post("/policy/lists/bins/entries", change("4000-4001"))
        await writing.post("/policy/lists/names/entries", change("Ivan Petrov"))
    policy = ActivePolicy(current_policy(log), FixedScorer(0.1))
    async with running(log, policy=policy) as api:

        async def found(name: str, value: str) -> tuple[Any, Any, list[str]]:
            answer = (await api.get(f"/policy/lists/{name}/look-up", value=value)).json()
            return answer["listed"], answer["matched"], [e["text"] for e in answer["entries"]]

        assert await found("networks", "10.1.2.3") == (True, "10.0.0.0/8", [])
        assert await found("networks", "10.0.0.0/8") == (False, None, ["10.0.0.0/8"])
        assert await found("networks", "11.0.0.1") == (False, None, [])
        assert await found("bins", "400112") == (True, "4001", [])
        listed, matched, texts = await found("names", "PETROW, Ivan")
        assert (0.9 < listed < 1, matched, texts) == (True, "Ivan Petrov (0.91)", [])
        bad = await api.get("/policy/lists/networks/look-up", value="x")
        assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "value")
