"""Rules over columns give for each row what Google's CEL gives for it alone."""

from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from commands.policy.adapters.cel import CelLanguage
from domain.policy.rules.allowed import ALLOWED
from domain.policy.rules.ruling import Truth, Value
from domain.policy.rules.tree import Call, walk
from projections.replay.rules import _LAZY, _STRICT, Column, truths
from tests.fakes.rules import rule

TYPES: dict[str, type[Value]] = {"a": float, "b": float, "n": int, "m": int, "s": str, "t": str}
LANGUAGE = CelLanguage(TYPES)

words = st.text("abß日😀", max_size=3)
reals = st.one_of(st.sampled_from([0.0, -0.0, 1.0, 2.0, 0.1, 1e300, -1e300]), st.floats(-9, 9))
wholes = st.one_of(st.integers(-3, 3), st.sampled_from([2**63 - 1, -(2**53) - 1, 2**53 + 1]))


def joined(operators: list[str], side: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda a, sign, b: f"({a} {sign} {b})", side, st.sampled_from(operators), side)


def listed(constants: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(constants, min_size=1, max_size=3).map(lambda each: f"[{', '.join(each)}]")


real_constants = reals.map(lambda each: f"{each!r}")
whole_constants = wholes.map(str)
word_constants = words.map(lambda each: f"'{each}'")
integers = st.one_of(st.sampled_from(["n", "m"]), whole_constants)
doubles = st.recursive(
    st.one_of(st.sampled_from(["a", "b"]), real_constants, integers.map(lambda n: f"double({n})")),
    lambda inner: st.one_of(joined(["+", "-", "*", "/"], inner), inner.map(lambda a: f"(-({a}))")),
    max_leaves=4,
)
texts = st.one_of(st.sampled_from(["s", "t"]), word_constants)
SIGNS = ["<", "<=", ">", ">=", "==", "!="]
leaves = st.one_of(
    *(joined(SIGNS, each) for each in (doubles, integers, texts)),
    st.builds(lambda a, b: f"({a} in {b})", doubles, listed(real_constants)),
    st.builds(lambda a, b: f"({a} in {b})", integers, listed(whole_constants)),
    st.builds(lambda a, b: f"({a} in {b})", texts, listed(word_constants)),
    st.builds(
        lambda a, name, b: f"{a}.{name}({b})",
        texts,
        st.sampled_from(["startsWith", "endsWith", "contains"]),
        texts,
    ),
    st.sampled_from(["true", "false"]),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        joined(["&&", "||", "==", "!="], inner),
        inner.map(lambda a: f"!({a})"),
        st.builds(lambda a, b, c: f"({a} ? {b} : {c})", inner, inner, inner),
        inner.map(lambda asked: f"(({asked} ? a : b) < 1.0)"),
    ),
    max_leaves=8,
)
VALUES: dict[type[Value], st.SearchStrategy[Any]] = {float: reals, int: wholes, str: words}
rows = st.fixed_dictionaries({name: st.none() | VALUES[kind] for name, kind in TYPES.items()})


NAN: dict[str, Any] = {**dict.fromkeys(TYPES), "a": 0.0, "b": 0.0}
"""Nothing is known but that a / b is no number."""


def in_columns(condition: str, table: list[dict[str, Any]]) -> list[Truth]:
    kinds: dict[type[Value], tuple[Any, Any]] = {
        float: (np.float64, np.nan),
        int: (np.int64, 0),
        str: (object, ""),
    }
    columns = {}
    for name, of in TYPES.items():
        kind, filler = kinds[of]
        given = [row[name] for row in table]
        values = np.array([filler if each is None else each for each in given], dtype=kind)
        columns[name] = Column(values, np.array([each is not None for each in given], dtype=bool))
    holds, known = truths(LANGUAGE.tree(condition), columns, len(table))
    pairs = zip(holds.tolist(), known.tolist(), strict=True)
    return [truth if sure else None for truth, sure in pairs]


def one_by_one(condition: str, table: list[dict[str, Any]]) -> list[Truth]:
    compiled = LANGUAGE.compile([rule(condition=condition, words="It is so.")])
    known = ({name: each for name, each in row.items() if each is not None} for row in table)
    return [compiled.truths(values)[0] for values in known]


@settings(max_examples=500, deadline=None)
@given(conditions, st.lists(rows, max_size=8))
@example("a / b != 1.0", [NAN])
@example("a / b >= 1.0 || a / b <= 1.0", [NAN])
@example("a / b in [1.0] || !(a / b == a / b)", [NAN])
def test_columns_and_rows_give_the_same_unknowns_included(
    condition: str, table: list[dict[str, Any]]
) -> None:
    assert LANGUAGE.faults(condition) == []
    assert in_columns(condition, table) == one_by_one(condition, table)


def test_all_that_rules_may_use_is_there_over_columns() -> None:
    assert _LAZY.keys() | _STRICT.keys() | {"in_list"} == ALLOWED
    used = {node.overload for node in walk(LANGUAGE.tree("!(a < 1.0)")) if isinstance(node, Call)}
    assert used == {"logical_not", "less_double"}
