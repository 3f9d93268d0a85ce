"""Parameters of lists: an impossible value is refused with 422, never answered with 500."""

from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from api import errors
from api.parameters import Key, Since, moment
from domain.errors import InvalidInputError
from projections.readmodels.queries.cursors import Place, read_cursor, write_cursor


@dataclass(frozen=True)
class Asked:
    card_id: str | None = None


async def ask(**parameters: str) -> httpx.Response:
    app = FastAPI()
    errors.install(app)

    @app.get("/list")
    def listed(card_id: Key = None, since: Since = None) -> list[int | str | None]:
        return [card_id, moment("since", since)]

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        return await client.get("/list", params=parameters)


async def test_a_key_with_a_nul_is_refused_by_name() -> None:
    answer = await ask(card_id="a\0b")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "card_id")
    assert (await ask(card_id="ü/ \n")).status_code == 200


async def test_a_moment_beyond_the_calendar_is_refused_by_name() -> None:
    answer = await ask(since="0001-01-01T00:00:00+14:00")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "since")


@pytest.mark.parametrize("place", [Place(10**30, "t-1"), Place(-(10**18), "t"), Place(0, "a\0b")])
def test_a_cursor_to_no_possible_row_is_refused(place: Place) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        read_cursor(write_cursor(place, Asked()), Asked())
