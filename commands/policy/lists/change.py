"""Commands over lists: a change of entries, whole at one position of the log; and what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from commands.policy.topic import facts
from domain.errors import ConflictError, InvalidInputError
from domain.events import (
    Envelope,
    ListChange,
    ListEntriesStaged,
    ListEntry,
    ListKind,
    ListPublished,
)
from domain.policy.lists.published import NO_LISTS, hash_of_entries
from eventlog.port import EventLog
from eventlog.topics import POLICY

SOURCE = "retrace/policy"
PART = 1_000
"""Entries in one record: of the longest texts and reasons they stay below the log's bound."""
MOST_TEXT = 200
_IN_FLIGHT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeList:
    """Entries that take the place of all others, are added, or are removed; cleaned already."""

    name: str
    of: ListKind
    change: ListChange
    entries: Sequence[ListEntry]
    reason: str
    by: str


class Head(Protocol):
    """The last change of a list."""

    @property
    def of(self) -> str: ...
    @property
    def batch(self) -> str: ...
    @property
    def entries_hash(self) -> str: ...


Heads = Callable[[], tuple[Mapping[str, Head], int]]
"""The last change of each list as of the end of the topic, and the last offset."""


def change_list(
    log: EventLog, command: ChangeList, known_time: int, heads: Heads | None = None
) -> bool:
    """Puts the change in force, all at once; False where the list is so already.

    `heads` is asked where a process has read the topic already; by default all of it is read.
    No two entries have one text. Raises InvalidInputError for a list of another kind,
    ConflictError where another change of the list came between, and LogUnavailableError, after
    which nothing is in force and a repetition is harmless.
    """
    entries = list(command.entries)
    digest = hash_of_entries(entries)
    heads = heads or partial(_heads, log)
    known, end = heads()
    now = known.get(command.name)
    if now is not None and now.of != command.of:
        raise InvalidInputError(command.name, f"the list is one of {now.of}, not of {command.of}")
    replaces = command.change == "replace"
    if (now is not None and replaces and now.entries_hash == digest) or not (entries or replaces):
        return False
    batch = f"{digest[:32]}/{end}"
    starts = range(0, len(entries), PART)
    for part, start in enumerate(starts):
        staged = ListEntriesStaged(
            name=command.name,
            of=command.of,
            batch=batch,
            part=part,
            entries=entries[start : start + PART],
        )
        _append(log, staged, f"{batch}/{part}", known_time)
        if part % _IN_FLIGHT == 0:
            log.flush()
    log.flush()
    published = ListPublished(
        name=command.name,
        of=command.of,
        change=command.change,
        batch=batch,
        parts=len(starts),
        entries=len(entries),
        entries_hash=digest,
        reason=command.reason,
        by=command.by,
    )
    _append(log, published, batch, known_time)
    log.flush()
    after = heads()[0].get(command.name)
    if after is None or after.batch != batch:
        raise ConflictError(command.name, "another change of the list came between: try again")
    return True


@dataclass(frozen=True, slots=True)
class PublishedChange:
    """A change that came in force, with its offset, which is the list's version from there on.

    `entry` is the one that was asked for, None where the change does not hold it.
    """

    version: int
    known_time: int
    fact: ListPublished
    entry: ListEntry | None = None


def list_changes(log: EventLog, name: str = "", text: str = "") -> Iterator[PublishedChange]:
    """The oldest first; of one list, and those alone that say something of one entry, if given.

    Raises LogUnavailableError.
    """
    lists, held, listed = NO_LISTS, dict[str, ListEntry](), set[str]()
    for offset, each in facts(log):
        fact = each.data
        if not isinstance(fact, ListEntriesStaged | ListPublished) or name not in ("", fact.name):
            continue
        lists = lists.apply(fact, offset)
        if isinstance(fact, ListEntriesStaged):
            held.update((fact.batch, entry) for entry in fact.entries if entry.text == text)
        elif (now := lists.in_force.get(fact.name)) is not None and now.version == offset:
            entry = held.pop(fact.batch, None)
            gone = fact.name in listed and entry is None and fact.change == "replace"
            if entry is not None and fact.change != "remove":
                listed.add(fact.name)
            elif entry is not None or gone:
                listed.discard(fact.name)
            if not text or entry is not None or gone:
                yield PublishedChange(offset, each.known_time, fact, entry)


def _append(log: EventLog, fact: ListEntriesStaged | ListPublished, key: str, at: int) -> None:
    event_id = f"{fact.NAME}/{fact.name}/{key}"
    log.append_nowait(
        POLICY,
        None,
        Envelope(
            id=event_id,
            source=SOURCE,
            subject=fact.name,
            time=at,
            known_time=at,
            data=fact,
            correlation_id=event_id,
        ),
    )


def _heads(log: EventLog) -> tuple[Mapping[str, Head], int]:
    lists, last = NO_LISTS, -1
    for offset, fact in facts(log):
        lists, last = lists.apply(fact.data, offset), offset
    return lists.in_force, last
