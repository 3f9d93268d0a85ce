"""/policy/lists: which lists there are, their entries, one looked up, and changes of entries."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.body import read_object
from api.deps import ApiDeps, Deps
from api.openapi import body_of, problems
from api.parameters import Cursor, Limit
from api.schemas.lists import (
    EntriesIn,
    EntryPage,
    ListReceiptOut,
    ListsOut,
    LookUpOut,
    entry_out,
    list_out,
    parse_change,
)
from commands.policy.lists.change import change_list
from domain.cleaning.unclean import UncleanError
from domain.errors import InvalidInputError
from domain.events import DeclaredList
from domain.policy.lists.published import NO_MATCH, Match
from projections.readmodels.queries.cursors import Place, read_cursor, write_cursor

router = APIRouter(prefix="/policy/lists", tags=["lists"])


@router.get("", response_model=ListsOut, **problems(503))
async def lists(deps: Deps) -> ListsOut:
    """Those that the rules in force declare, by name."""
    found = await asyncio.to_thread(deps.lists.lists)
    return ListsOut(items=[list_out(each) for each in found])


@router.get("/{name}/entries", response_model=EntryPage, **problems(404, 422, 503))
async def list_entries(
    name: str, deps: Deps, limit: Limit = 50, cursor: Cursor = None
) -> EntryPage:
    """In the order of their texts; also those that have ended."""
    declared = await asyncio.to_thread(deps.lists.declared, name)
    question = ("entries of", declared.name)
    after = read_cursor(cursor, question).key if cursor else ""
    found = await asyncio.to_thread(deps.lists.page, name, after, limit)
    more = len(found) == limit
    return EntryPage(
        items=[entry_out(each) for each in found],
        next_cursor=write_cursor(Place(0, found[-1].entry.text), question) if more else None,
    )


@router.get("/{name}/look-up", response_model=LookUpOut, **problems(404, 422, 503))
async def look_up(
    name: str,
    deps: Deps,
    value: Annotated[str, Query(description="As a transaction has it.", max_length=200)],
) -> LookUpOut:
    """Whether a transaction with this value is on the list now, and what was said of the value."""
    declared = await asyncio.to_thread(deps.lists.declared, name)
    try:
        texts = deps.clean_entry(declared.of, value)
    except UncleanError as error:
        raise InvalidInputError("value", str(error)) from None
    found = await asyncio.to_thread(deps.lists.find, name, texts)
    match = _match(deps, declared, texts)
    return LookUpOut(
        listed=match.value, matched=match.entry, entries=[entry_out(each) for each in found]
    )


@router.post(
    "/{name}/entries",
    status_code=201,
    response_model=ListReceiptOut,
    openapi_extra=body_of(EntriesIn),
    **problems(400, 404, 409, 413, 415, 422, 503),
)
async def change_entries(name: str, request: Request, deps: Deps) -> ListReceiptOut:
    """Durable when answered, and in force for all that decide some moments later.

    All entries count from one position of the log on. 409: another change of the list came between;
    nothing of this one is in force. Saying it again is harmless.
    """
    payload, _ = await read_object(request)
    declared = await asyncio.to_thread(deps.lists.declared, name)
    told = partial(deps.context.cleaner.text, keep="")
    command = parse_change(payload, declared, deps.clean_entry, told)
    context = deps.context
    await asyncio.to_thread(change_list, context.log, command, context.clock(), deps.lists.state)
    heads, _ = await asyncio.to_thread(deps.lists.state)
    return ListReceiptOut(
        name=name,
        change="add" if command.change == "add" else "remove",
        entries=len(command.entries),
        version=heads[name].version,
    )


def _match(deps: ApiDeps, declared: DeclaredList, texts: list[str]) -> Match:
    """As a condition of now sees it; a network or a range is nobody's address or BIN."""
    known = deps.context.policy().snapshot.lists.in_force.get(declared.name)
    text = texts[0] if len(texts) == 1 else ""
    if declared.of == "ip":
        address, _, bits = text.partition("/")
        text = address if bits in ("32", "128") else ""
    if known is None or not text:
        return NO_MATCH
    return known.match(text, deps.context.clock())
