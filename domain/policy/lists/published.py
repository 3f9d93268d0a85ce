"""Published lists: the fold of the POLICY topic's facts about them, and look-ups at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, NamedTuple

from domain.events.lists import ListEntriesStaged, ListEntry, ListPublished
from domain.policy.lists.keys import FOREVER, NO_KEYS, Keys, sorted_run, without_ends
from domain.policy.lists.names import NO_NAMES, Names


class Match(NamedTuple):
    """`value` is what a condition sees: whether it is listed, or the likeness of a name.

    `entry` is the one that matched, None where none did.
    """

    value: bool | float
    entry: str | None


NO_MATCH = Match(False, None)
_TOLD = 0.8
"""A name that is less like is nobody's match, and not put down."""


def hash_of_entries(entries: Iterable[ListEntry]) -> str:
    """SHA-256 of the entries, in any order; no two have one text."""
    digest = sha256()
    for each in sorted(entries, key=lambda each: each.text):
        digest.update(json.dumps(each, separators=(",", ":")).encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class PublishedList:
    """The entries as of `version`, the offset of the fact that published them last.

    `entries_hash` is that of all entries, empty once some were added or removed. `lengths` are
    those of the networks (family, bits) or prefixes that the list has held.
    """

    version: int
    of: str
    batch: str
    entries_hash: str
    keys: Keys = NO_KEYS
    names: Names = NO_NAMES
    lengths: frozenset[tuple[int, int]] = frozenset()

    def match(self, text: str, moment: int) -> Match:
        """Of a transaction's field at its time, in microseconds."""
        if self.of == "name":
            like, name = self.names.most_like(text, moment)
            return Match(like, f"{name} ({like:.2f})" if like >= _TOLD else None)
        for key in self._keys_of(text):
            if self.keys.end(key) > moment:
                return Match(True, key)
        return NO_MATCH

    def _keys_of(self, text: str) -> Iterator[str]:
        """What the text may be listed as, the narrowest first."""
        if self.of == "ip":
            address = ip_address(text)
            for family, bits in sorted(self.lengths, reverse=True):
                if family == address.version:
                    kept = int(address) >> address.max_prefixlen - bits
                    start = type(address)(kept << address.max_prefixlen - bits)
                    yield f"{start}/{bits}"
        elif self.of == "bin":
            for _, length in sorted(self.lengths, reverse=True):
                yield text[:length]
        elif self.of == "email_domain":
            yield text.rpartition("@")[2].strip().lower()
        else:
            yield text


@dataclass(frozen=True, slots=True)
class _Staged:
    """Parts of a change that is not published yet, by number."""

    batch: str
    parts: Mapping[int, bytes | list[tuple[str, int]]]
    lengths: frozenset[tuple[int, int]]

    def with_part(self, data: ListEntriesStaged) -> _Staged:
        ends = [(e.text, FOREVER if e.until is None else e.until) for e in data.entries]
        part = ends if data.of == "name" else sorted_run(ends)
        lengths = self.lengths | {_length(data.of, text) for text, _ in ends}
        return _Staged(self.batch, {**self.parts, data.part: part}, lengths)


@dataclass(frozen=True, slots=True)
class Lists:
    """All lists as of one offset; immutable.

    `staged` holds by name the batches since the list's last change: one that was never published
    is kept until then.
    """

    in_force: Mapping[str, PublishedList] = field(default_factory=dict)
    staged: Mapping[str, tuple[_Staged, ...]] = field(default_factory=dict)

    def apply(self, data: Any, offset: int) -> Lists:
        """After one more fact of the topic; other facts change nothing."""
        if isinstance(data, ListEntriesStaged):
            others = self.staged.get(data.name, ())
            here = _of_batch(others, data.batch) or _Staged(data.batch, {}, frozenset())
            kept = tuple(each for each in others if each.batch != data.batch)
            return replace(self, staged={**self.staged, data.name: (*kept, here.with_part(data))})
        if isinstance(data, ListPublished):
            return self._published(data, offset)
        return self

    def _published(self, data: ListPublished, offset: int) -> Lists:
        staged = _of_batch(self.staged.get(data.name, ()), data.batch)
        waiting = {name: each for name, each in self.staged.items() if name != data.name}
        if staged is None and data.parts == 0:
            staged = _Staged(data.batch, {}, frozenset())
        if staged is None or len(staged.parts) != data.parts:
            # Another change came between: whoever appended this one sees that it is not in force.
            return self
        replaces = data.change == "replace"
        fresh = PublishedList(offset, data.of, data.batch, data.entries_hash)
        before = fresh if replaces else self.in_force.get(data.name, fresh)
        parts = [staged.parts[n] for n in sorted(staged.parts)]
        made = PublishedList(
            offset,
            data.of,
            data.batch,
            data.entries_hash if replaces else "",
            before.keys.changed([_changes(p, data.change) for p in parts if isinstance(p, bytes)]),
            before.names,
            before.lengths | staged.lengths,
        )
        if data.of == "name":
            gone = data.change == "remove"
            entries = [e for part in parts if isinstance(part, list) for e in part]
            names = made.names.changed((name, 0 if gone else end) for name, end in entries)
            made = replace(made, names=names)
        return Lists({**self.in_force, data.name: made}, waiting)


NO_LISTS = Lists()


def _of_batch(staged: tuple[_Staged, ...], batch: str) -> _Staged | None:
    return next((each for each in staged if each.batch == batch), None)


def _changes(run: bytes, change: str) -> bytes:
    return without_ends(run) if change == "remove" else run


def _length(of: str, key: str) -> tuple[int, int]:
    if of == "ip":
        address, _, bits = key.partition("/")
        return ip_address(address).version, int(bits)
    return 0, len(key) if of == "bin" else 0
