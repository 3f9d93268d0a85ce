"""Lists for tests."""

from collections.abc import Iterable

from domain.events import DeclaredList, ListChange, ListEntriesStaged, ListEntry, ListKind
from domain.events import ListPublished as Published
from domain.policy.lists.published import NO_LISTS, Lists, hash_of_entries


def declared(
    name: str = "stolen", of: ListKind = "card", attribute: str | None = None
) -> DeclaredList:
    return DeclaredList(name=name, of=of, purpose="deny", owner="fraud team", attribute=attribute)


def staged(
    entries: Iterable[ListEntry], name: str = "stolen", of: ListKind = "card", batch: str = "b"
) -> ListEntriesStaged:
    return ListEntriesStaged(name=name, of=of, batch=batch, part=0, entries=list(entries))


def published(
    entries: Iterable[ListEntry],
    name: str = "stolen",
    of: ListKind = "card",
    batch: str = "b",
    change: ListChange = "replace",
    parts: int = 1,
) -> Published:
    given = list(entries)
    return Published(
        name=name,
        of=of,
        change=change,
        batch=batch,
        parts=parts,
        entries=len(given),
        entries_hash=hash_of_entries(given),
        reason="why",
        by="ann",
    )


def lists_of(
    entries: Iterable[ListEntry], name: str = "stolen", of: ListKind = "card", version: int = 4
) -> Lists:
    """One list of such entries, published at `version`."""
    given = list(entries)
    fact = published(given, name, of)
    return NO_LISTS.apply(staged(given, name, of), version - 1).apply(fact, version)
