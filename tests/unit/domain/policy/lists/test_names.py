"""Likeness of names: against its definition, and against a comparison with every entry."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policy.lists.keys import FOREVER
from domain.policy.lists.names import NO_NAMES, folded

words = st.text("abcdeé", min_size=1, max_size=6)
names = st.lists(words, min_size=1, max_size=3).map(" ".join)


def likeness(a: str, b: str) -> float:
    @cache
    def common(i: int, j: int) -> int:
        if i == len(a) or j == len(b):
            return 0
        if a[i] == b[j]:
            return 1 + common(i + 1, j + 1)
        return max(common(i + 1, j), common(i, j + 1))

    return 2 * common(0, 0) / (len(a) + len(b))


def ends(name: str) -> set[str]:
    return {part for word in name.split() for part in (f"{word[:3]}*", f"*{word[-3:]}")}


@given(st.lists(names, max_size=8), names)
def test_the_entry_is_the_likest_of_those_that_share_an_end_of_a_word(
    entries: list[str], text: str
) -> None:
    made = NO_NAMES.changed((each, FOREVER) for each in entries)
    sought = folded(text)
    near = {folded(each) for each in entries if ends(folded(each)) & ends(sought)}
    like, found = made.most_like(text, 0)
    assert like == max((likeness(sought, each) for each in near), default=0.0)
    assert like == (likeness(sought, folded(found)) if found else 0.0)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("Petrov, Iván", 1.0, 1.0),
        ("IVAN PETROV", 1.0, 1.0),
        ("Ivan Petrow", 0.9, 0.95),
        ("Iwan Petrov", 0.9, 0.95),
        ("Ivana Petrova", 0.9, 0.95),
        ("Piotr Ivanov", 0.0, 0.75),
        ("Maria Schmidt", 0.0, 0.4),
    ],
)
def test_order_accents_and_case_are_nothing_and_letters_count(
    text: str, least: float, most: float
) -> None:
    made = NO_NAMES.changed([("Ivan PETROV", FOREVER), ("Zeta Trading Co.", FOREVER)])
    assert least <= made.most_like(text, 0)[0] <= most


def test_entries_end_and_are_removed() -> None:
    made = NO_NAMES.changed([("Ivan Petrov", 10), ("Ivan Petrovich", FOREVER)])
    assert made.most_like("ivan petrov", 9) == (1.0, "Ivan Petrov")
    assert made.most_like("ivan petrov", 10)[1] == "Ivan Petrovich"
    assert made.changed([("PETROVICH Ivan", 0)]).most_like("ivan petrov", 10) == (0.0, "")
