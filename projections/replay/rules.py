"""Conditions of rules over columns: what CEL says of each row, for all rows at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.policy.lists.published import Match, PublishedList
from domain.policy.rules.tree import Call, Listed, Literal, Name, Node

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Column:
    """`values` [rows] of float64, int64, bool, or str as objects; not `known` ones are any."""

    values: Any
    known: Any


def truths(tree: Node, columns: Mapping[str, Column], rows: int) -> tuple[Bools, Bools]:
    """(holds, known), both [rows]; `holds` is False where it is not known.

    Equal to `commands.ports.rules.CompiledRules.truths` of each row. `tree` is a checked condition.
    """
    with np.errstate(all="ignore"):
        found = _of(tree, columns)
    known = np.broadcast_to(found.known, rows).astype(bool)
    return np.broadcast_to(found.values, rows).astype(bool) & known, known


def listed(published: PublishedList | None, texts: Column, moments: Any) -> Column:
    """What `lists.<name>` is for `texts` [rows] looked up at `moments` [rows], microseconds.

    None is a list without entries. Equal to `domain.rule_values.listed_values` of each row.
    """
    is_name = published is not None and published.of == "name"
    values: Any = np.zeros(len(moments), dtype=np.float64 if is_name else np.bool_)
    if published is not None:
        found: dict[tuple[str, int], Match] = {}
        for row in np.flatnonzero(texts.known).tolist():
            asked = (texts.values[row], int(moments[row]))
            if asked not in found:
                found[asked] = published.match(*asked)
            values[row] = found[asked].value
    return Column(values, texts.known)


def _of(node: Node, columns: Mapping[str, Column]) -> Column:
    if isinstance(node, Literal):
        return Column(_constant(node.value), np.True_)
    if isinstance(node, Name):
        return columns[node.name]
    assert isinstance(node, Call)
    if node.overload == "in_list":
        return _in_list(node, columns)
    given = [_of(each, columns) for each in node.arguments]
    lazy = _LAZY.get(node.overload)
    if lazy is not None:
        return lazy(*given)
    values = _STRICT[node.overload](*(each.values for each in given))
    return Column(values, np.logical_and.reduce(np.broadcast_arrays(*(e.known for e in given))))


def _constant(value: Any) -> Any:
    kinds: dict[type, Any] = {bool: np.bool_, int: np.int64, float: np.float64, str: object}
    return np.array(value, dtype=kinds[type(value)])


def _in_list(node: Call, columns: Mapping[str, Column]) -> Column:
    sought, listed = node.arguments
    assert isinstance(listed, Listed)
    found = _of(sought, columns)
    hits: Any = np.False_
    for item in listed.items:
        assert isinstance(item, Literal)
        hits = hits | _equal(found.values, _constant(item.value))
    return Column(np.broadcast_to(hits, np.shape(found.values)), found.known)


def _and(a: Column, b: Column) -> Column:
    """A false side decides, whatever the other one is."""
    known = (a.known & b.known) | (a.known & ~a.values) | (b.known & ~b.values)
    return Column((a.values | ~a.known) & (b.values | ~b.known), known)


def _or(a: Column, b: Column) -> Column:
    """A true side decides, whatever the other one is."""
    known = (a.known & b.known) | (a.known & a.values) | (b.known & b.values)
    return Column((a.values & a.known) | (b.values & b.known), known)


def _conditional(asked: Column, yes: Column, no: Column) -> Column:
    """The side that is not chosen may be unknown."""
    values = np.where(asked.values, yes.values, no.values)
    return Column(values, asked.known & np.where(asked.values, yes.known, no.known))


def _equal(a: Any, b: Any) -> Any:
    return np.asarray(a == b, dtype=bool)


def _compared(sign: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: np.asarray(sign(a, b), dtype=bool)


def _of_texts(method: Callable[[str, str], bool]) -> Callable[[Any, Any], Any]:
    def evaluated(texts: Any, parts: Any) -> Any:
        both = np.broadcast(texts, parts)
        found = np.fromiter((method(text, part) for text, part in both), dtype=bool)
        return found.reshape(both.shape)

    return evaluated


_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "less": lambda a, b: a < b,
    "less_equals": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equals": lambda a, b: a >= b,
}

_LAZY: dict[str, Callable[..., Column]] = {
    "logical_and": _and,
    "logical_or": _or,
    "conditional": _conditional,
}

# float64 and + - x / of single operations: the bits are CEL's.
_STRICT: dict[str, Callable[..., Any]] = {
    "logical_not": np.logical_not,
    "equals": _equal,
    "not_equals": lambda a, b: ~_equal(a, b),
    **{
        f"{name}_{kind}": _compared(sign)
        for name, sign in _SIGNS.items()
        for kind in ("double", "int64", "string")
    },
    "add_double": np.add,
    "subtract_double": np.subtract,
    "multiply_double": np.multiply,
    "divide_double": np.divide,
    "negate_double": np.negative,
    "int64_to_double": lambda a: np.asarray(a).astype(np.float64),
    "starts_with_string": _of_texts(str.startswith),
    "ends_with_string": _of_texts(str.endswith),
    "contains_string": _of_texts(str.__contains__),
}
