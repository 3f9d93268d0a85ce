"""Lists of the policy: their declarations, and the facts that change their entries."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from domain.events.registry import Event, event

ListKind = Literal[
    "card", "customer", "merchant", "device", "ip", "country", "bin", "email_domain", "name"
]
"""What a list holds; of e-mail addresses and names an attribute of the transaction has the text."""
ListPurpose = Literal["allow", "deny", "watch"]
ListChange = Literal["replace", "add", "remove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredList:
    """A list that the rules of a set can see, as `lists.<name>`. It acts through rules alone.

    `purpose` tells people what it is for. `attribute` is the transaction's that holds the name or
    e-mail address, None for every other kind.
    """

    name: str
    of: ListKind
    purpose: ListPurpose
    owner: str
    attribute: str | None = None


class ListEntry(NamedTuple):
    """`text` is cleaned as a transaction's field is, card numbers are tokens.

    It counts for transactions before `until` (event time, microseconds UTC), for ever if None.
    """

    text: str
    until: int | None = None
    reason: str = ""


@event("fraud.list.entries-staged")
@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntriesStaged(Event):
    """Part number `part`, from 0, of a change of the list `name`: nothing until it is published."""

    name: str
    of: ListKind
    batch: str
    part: int
    entries: list[ListEntry]


@event("fraud.list.published")
@dataclass(frozen=True, slots=True, kw_only=True)
class ListPublished(Event):
    """From this position on, which is its version, the list has the staged entries of `batch`.

    They take the place of all entries, are added (an entry of the same text is replaced) or are
    removed. It is void unless all `parts` lie between the list's last change and this one.
    `entries_hash` is the SHA-256 of the entries (domain.policy.lists.published), `entries` their
    number, `by` who did it.
    """

    name: str
    of: ListKind
    change: ListChange
    batch: str
    parts: int
    entries: int
    entries_hash: str
    reason: str
    by: str
