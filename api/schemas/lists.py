"""Lists of the policy over HTTP: which there are, their entries, and changes of entries."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from commands.intake.payload import check_fields
from commands.policy.lists.change import MOST_TEXT, ChangeList
from commands.policy.lists.entries import ListState, StoredEntry
from domain.cleaning.unclean import UncleanError
from domain.errors import FieldError, InvalidInputError, InvalidTransactionError
from domain.events import DeclaredList, ListEntry, ListKind, ListPurpose
from domain.times import from_rfc3339, to_rfc3339

MOST_ENTRIES = 1_000
"""Of one request; more are imported from a file."""
EntryChange = Literal["add", "remove"]


class ListOut(BaseModel):
    """`version` and what follows are null while the list never had an entry."""

    name: str
    of: ListKind
    purpose: ListPurpose
    owner: str
    attribute: str | None = Field(description="Of the transaction, which holds the name or address")
    entries: int = Field(description="Also those that have ended.")
    version: int | None = Field(description="Offset of its last change; decisions name it.")
    changed_at: str | None
    by: str | None
    reason: str | None


class ListsOut(BaseModel):
    items: list[ListOut]


class EntryOut(BaseModel):
    text: str = Field(description="As a transaction's field is cleaned; card numbers are tokens.")
    until: str | None = Field(description="It counts for transactions before; null for ever.")
    reason: str
    version: int = Field(description="Of the change that said it last.")


class EntryPage(BaseModel):
    items: list[EntryOut]
    next_cursor: str | None = Field(description="Ask for the next page with it; null on the last.")


class LookUpOut(BaseModel):
    """`listed` is what a condition sees now: of names how like the likest entry is."""

    listed: bool | float
    matched: str | None = Field(description="The entry that matches: a network of the address.")
    entries: list[EntryOut] = Field(description="Those that say just this value, also ended ones.")


class EntryIn(BaseModel):
    value: str = Field(description="As in a transaction: a card number, an id, a network.")
    until: str | None = Field(None, description="RFC 3339: it counts for transactions before.")
    reason: str = ""


class EntriesIn(BaseModel):
    """Entries that are added or removed, all at one position of the log."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "change": "add",
                    "entries": [{"value": "4111111111111111", "until": "2026-03-01T00:00:00Z"}],
                    "reason": "police, week 5",
                    "by": "mara",
                }
            ]
        }
    )

    change: EntryChange
    entries: list[EntryIn] = Field(min_length=1, max_length=MOST_ENTRIES)
    reason: str = Field(description="Why; the history shows it.")
    by: str = Field(description="Who does it.")


class ListReceiptOut(BaseModel):
    name: str
    change: EntryChange
    entries: int
    version: int = Field(description="From this position of the log on.")


def list_out(state: ListState) -> ListOut:
    declared, head = state.declared, state.head
    return ListOut(
        name=declared.name,
        of=declared.of,
        purpose=declared.purpose,
        owner=declared.owner,
        attribute=declared.attribute,
        entries=state.entries,
        version=head.version if head else None,
        changed_at=to_rfc3339(head.known_time) if head else None,
        by=head.by if head else None,
        reason=head.reason if head else None,
    )


def entry_out(stored: StoredEntry) -> EntryOut:
    text, until, reason = stored.entry
    ends = None if until is None else to_rfc3339(until)
    return EntryOut(text=text, until=ends, reason=reason, version=stored.version)


def parse_change(
    payload: Mapping[str, Any],
    declared: DeclaredList,
    clean: Callable[[str, str], list[str]],
    told: Callable[[str], str],
) -> ChangeList:
    """`told` takes card numbers out of what people write.

    Raises InvalidInputError; of entries it names each that is wrong, as `entries[3].value`.
    """
    check_fields(payload, ("change", "entries", "reason", "by"))
    changes: dict[object, EntryChange] = {each: each for each in get_args(EntryChange)}
    change = changes.get(str(payload.get("change")))
    if change is None:
        raise InvalidInputError("change", "expected add or remove")
    given = payload.get("entries")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_ENTRIES:
        raise InvalidInputError("entries", f"expected a list of 1 to {MOST_ENTRIES}")
    entries: dict[str, ListEntry] = {}
    errors: list[FieldError] = []
    for number, each in enumerate(given):
        try:
            entries |= {made.text: made for made in _entries(each, declared.of, clean, told)}
        except InvalidInputError as error:
            errors.append(FieldError(f"entries[{number}].{error.field}", error.message))
    if errors:
        raise InvalidTransactionError(errors)
    return ChangeList(
        name=declared.name,
        of=declared.of,
        change=change,
        entries=list(entries.values()),
        reason=told(_text(payload, "reason")),
        by=told(_text(payload, "by")),
    )


def _entries(
    given: Any, of: str, clean: Callable[[str, str], list[str]], told: Callable[[str], str]
) -> list[ListEntry]:
    if not isinstance(given, dict):
        raise InvalidInputError("value", "expected an object with a value")
    check_fields(given, ("value", "until", "reason"))
    try:
        texts = clean(of, _text(given, "value"))
    except UncleanError as error:
        raise InvalidInputError("value", str(error)) from None
    until, reason = None, ""
    if given.get("until") is not None:
        try:
            until = from_rfc3339(_text(given, "until"))
        except ValueError:
            raise InvalidInputError("until", "expected an RFC 3339 time") from None
    if given.get("reason"):
        reason = told(_text(given, "reason"))
    return [ListEntry(text, until, reason) for text in texts]


def _text(given: Mapping[str, Any], field: str) -> str:
    text = given.get(field)
    if not isinstance(text, str) or not text.strip() or len(text) > MOST_TEXT or "\0" in text:
        raise InvalidInputError(field, f"expected a text of 1 to {MOST_TEXT} characters")
    return text.strip()
