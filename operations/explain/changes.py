"""Changes that a customer or an analyst could have made, one at a time.

A customer: another amount, a later time, another channel, a device, address or shop that they used
before, a device or address never seen, the country they are mostly in. An analyst: an entry of a
list that the rules see, added or removed. What nobody can change, such as the past, is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from domain.cleaning.cards import CardToken
from domain.cleaning.list_keys import list_keys
from domain.cleaning.unclean import UncleanError
from domain.events import DeclaredList, ListEntriesStaged, ListEntry, ListPublished
from domain.policy.lists.published import Lists
from domain.rule_values import looked_up
from domain.times import DAY, HOUR, MINUTE
from domain.transactions import CHANNELS, Transaction

_NEVER_SEEN = "never-seen-before"
_MOST_AMOUNT = 10**12
_WHAT_IF = "what-if"
_SHARES = (95, 90, 80, 70, 60, 50, 40, 30, 20, 10, 5, 2, 1)
_TIMES = (105, 110, 125, 150, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 100_000)
_WAITS = (
    *(MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR),
    *(DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 30 * DAY),
)


@dataclass(frozen=True, slots=True)
class Input:
    """What a decision is taken of; features follow from the transaction."""

    transaction: Transaction
    lists: Lists


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is other than it was. `by` is `customer` or `analyst`.

    `size` orders changes: the part by which the amount differs, the days waited, 1 for anything
    that is one or another. `before` and `after` are shown to people.
    """

    what: str
    by: str
    before: str
    after: str
    size: float
    make: Callable[[Input], Input] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Scale:
    """A change by degrees: `at(n)` makes the one of `steps[n]`, or of any number between two."""

    steps: Sequence[int]
    at: Callable[[int], Change]
    resolution: int


def amounts(transaction: Transaction, shown: Callable[[Transaction], str]) -> list[Scale]:
    """Smaller ones and greater ones, to the minor unit. None where nothing is paid."""
    paid = transaction.amount
    if not paid:
        return []

    def at(amount: int) -> Change:
        # The rate is that of the payment.
        based = (amount * transaction.base_amount + paid // 2) // paid
        fields = {"amount": amount, "base_amount": based}
        made = replace(transaction, **fields)  # type: ignore[arg-type]
        size = abs(amount - paid) / paid
        return Change(
            "amount", "customer", shown(transaction), shown(made), size, partial(_with, fields)
        )

    below = [each for share in _SHARES if (each := paid * share // 100) < paid]
    above = [min(paid * share // 100 + 1, _MOST_AMOUNT) for share in _TIMES]
    return [
        Scale(list(dict.fromkeys(below)), at, 1),
        Scale([each for each in dict.fromkeys(above) if each > paid], at, 1),
    ]


def waits(transaction: Transaction, shown: Callable[[Transaction], str]) -> Scale:
    """The same payment later, to the minute, with nothing in between."""

    def at(waited: int) -> Change:
        fields = {"timestamp": transaction.timestamp + waited}
        made = replace(transaction, **fields)  # type: ignore[arg-type]
        return Change(
            "time", "customer", shown(transaction), shown(made), waited / DAY,
            partial(_with, fields),
        )  # fmt: skip

    return Scale(_WAITS, at, MINUTE)


def others(transaction: Transaction, usual: dict[str, str]) -> Iterator[Change]:
    """Another channel, and for each field in `usual` the value there; devices and addresses too
    that nobody has ever used."""
    if transaction.channel is not None:
        for channel in CHANNELS:
            if channel not in (transaction.channel, "other"):
                yield _other(transaction, "channel", channel)
    for name, value in usual.items():
        if getattr(transaction, name) not in (None, value):
            yield _other(transaction, name, value, "that they used most before")
    for name in ("device_id", "ip"):
        if getattr(transaction, name) is not None:
            value = "2001:db8::dead:beef" if name == "ip" else _NEVER_SEEN
            yield _other(transaction, name, value, "never seen before", shown=False)


def entries(transaction: Transaction, declared: Sequence[DeclaredList], lists: Lists) -> Iterator[
    Change
]:  # fmt: skip
    """For each list whether the payment is on it: an entry added where it is not, else removed."""
    for each in declared:
        text = looked_up(each, transaction)
        if text is None:
            continue
        published = lists.in_force.get(each.name)
        match = published.match(text, transaction.timestamp) if published else None
        if match is None or match.entry is None:
            try:
                (key,) = list_keys(each.of, text, _no_card)
            except (UncleanError, ValueError):
                continue
            yield _entry(each, "add", key, "not listed", f"{key} on list {each.name}")
        elif each.of != "name":
            before = f"{match.entry} on list {each.name}"
            yield _entry(each, "remove", match.entry, before, "not listed")


def _no_card(_number: str) -> CardToken:
    """What is in the log is a token already."""
    raise UncleanError("is a card number")


def _other(
    transaction: Transaction, name: str, value: str, note: str = "", *, shown: bool = True
) -> Change:
    after = f"{value} ({note})" if note and shown else value if shown else f"one {note}"
    before = str(getattr(transaction, name))
    return Change(name, "customer", before, after, 1.0, partial(_with, {name: value}))


def _entry(declared: DeclaredList, change: Any, key: str, before: str, after: str) -> Change:
    made = partial(_listed, declared, change, key)
    return Change(f"lists.{declared.name}", "analyst", before, after, 1.0, made)


def _with(fields: dict[str, Any], given: Input) -> Input:
    return Input(replace(given.transaction, **fields), given.lists)


def _listed(declared: DeclaredList, change: Any, key: str, given: Input) -> Input:
    """As the log would say it, folded as every process does."""
    staged = ListEntriesStaged(
        name=declared.name, of=declared.of, batch=_WHAT_IF, part=0, entries=[ListEntry(key)]
    )
    published = ListPublished(
        name=declared.name, of=declared.of, change=change, batch=_WHAT_IF, parts=1, entries=1,
        entries_hash="", reason=_WHAT_IF, by=_WHAT_IF,
    )  # fmt: skip
    version = max((each.version for each in given.lists.in_force.values()), default=0)
    lists = given.lists.apply(staged, version + 1).apply(published, version + 2)
    return Input(given.transaction, lists)
