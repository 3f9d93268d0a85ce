"""Lists over columns give for each row what they give online for it alone."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.policy.adapters.cel import CelLanguage
from domain.events import ListEntry, ListKind
from domain.features import CATALOGUE
from domain.policy.lists.published import Lists
from domain.policy.rules.ruling import Truth
from domain.rule_values import TYPES, known_values, listed_values, looked_up
from domain.transactions import Transaction
from projections.replay.rules import Column, listed, truths
from tests.fakes.events import submitted
from tests.fakes.lists import declared, published, staged
from tests.fakes.rules import rule

LANGUAGE = CelLanguage(TYPES)
SEEN = (
    declared("cards"),
    declared("nets", "ip"),
    declared("bins", "bin"),
    declared("names", "name", "payee"),
    declared("empty", "country"),
)
TEXTS: dict[str, tuple[ListKind, list[str]]] = {
    "cards": ("card", ["a", "b"]),
    "nets": ("ip", ["10.0.0.0/8", "10.0.0.1/32", "2001:db8::/32"]),
    "bins": ("bin", ["40", "400012"]),
    "names": ("name", ["Ivan Petrov", "Ivana Petrova", "Zeta Ltd"]),
}
MOMENTS = st.integers(0, 20)
BASE = submitted("t-1").data.transaction
EVERYTHING: list[float | None] = [float(n) for n in range(len(CATALOGUE))]


def of_list(name: str) -> st.SearchStrategy[list[ListEntry]]:
    ends = st.none() | st.integers(1, 20)
    return st.dictionaries(st.sampled_from(TEXTS[name][1]), ends).map(
        lambda each: [ListEntry(text, until) for text, until in each.items()]
    )


transactions = st.builds(
    lambda **fields: replace(
        BASE, attributes={"payee": fields.pop("payee")} if fields["payee"] else {}, **_rest(fields)
    ),
    timestamp=MOMENTS,
    card_id=st.sampled_from([None, "a", "b", "c"]),
    ip=st.sampled_from([None, "10.0.0.1", "10.9.9.9", "11.0.0.1", "2001:db8::1"]),
    card_bin=st.sampled_from([None, "400012", "401111", "510000"]),
    country=st.sampled_from([None, "DE"]),
    payee=st.sampled_from([None, "PETROV, Ivan", "Iwan Petrova", "zeta limited", "n"]),
)
atoms = st.sampled_from(
    [
        "lists.cards",
        "lists.nets",
        "lists.bins",
        "lists.empty",
        "(lists.names >= 0.9)",
        "(amount > 1.0)",
    ]
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(
            lambda a, sign, b: f"({a} {sign} {b})",
            inner,
            st.sampled_from(["&&", "||", "==", "!="]),
            inner,
        ),
        inner.map(lambda a: f"!({a})"),
    ),
    max_leaves=6,
)


def _rest(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "payee"}


def in_columns(condition: str, lists: Lists, rows: list[Transaction]) -> list[Truth]:
    amounts = np.array([EVERYTHING[CATALOGUE.names.index("amount")]] * len(rows))
    columns = {"amount": Column(amounts, np.ones(len(rows), dtype=bool))}
    moments = np.array([row.timestamp for row in rows], dtype=np.int64)
    for each in SEEN:
        texts = [looked_up(each, row) for row in rows]
        known = np.array([text is not None for text in texts], dtype=bool)
        column = Column(np.array(texts, dtype=object), known)
        columns[f"lists.{each.name}"] = listed(lists.in_force.get(each.name), column, moments)
    holds, known = truths(LANGUAGE.tree(condition, SEEN), columns, len(rows))
    pairs = zip(holds.tolist(), known.tolist(), strict=True)
    return [truth if sure else None for truth, sure in pairs]


def one_by_one(condition: str, lists: Lists, rows: list[Transaction]) -> list[Truth]:
    compiled = LANGUAGE.compile([rule(condition=condition, words="It is so.")], SEEN)
    found = []
    for row in rows:
        known = known_values(compiled.names, row, CATALOGUE, EVERYTHING, [], "full", 0.5)
        found += compiled.truths(known | listed_values(compiled.names, SEEN, lists, row).values)
    return found


@settings(max_examples=300, deadline=None)
@given(
    conditions,
    st.fixed_dictionaries({name: of_list(name) for name in TEXTS}),
    st.lists(transactions, max_size=6),
)
def test_lists_over_columns_and_rows_give_the_same_unknowns_and_ends_included(
    condition: str, entries: dict[str, list[ListEntry]], rows: list[Transaction]
) -> None:
    lists = Lists()
    for offset, (name, given_entries) in enumerate(entries.items()):
        of = TEXTS[name][0]
        lists = lists.apply(staged(given_entries, name, of), 2 * offset)
        lists = lists.apply(published(given_entries, name, of), 2 * offset + 1)
    assert LANGUAGE.faults(condition, SEEN) == []
    assert in_columns(condition, lists, rows) == one_by_one(condition, lists, rows)
