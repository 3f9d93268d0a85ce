"""Hypothesis strategies for events, made from type hints."""

import dataclasses
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from domain.events import Envelope
from domain.events.registry import registered

_LONG = st.integers(-(2**63), 2**63 - 1)
_REAL = st.floats(allow_nan=False, allow_infinity=False)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: _LONG,
    float: _REAL,
    bool: st.booleans(),
    type(None): st.none(),
    Any: st.recursive(
        st.none() | st.booleans() | _LONG | _REAL | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
        max_leaves=4,
    ),
}


def of(hint: Any) -> st.SearchStrategy[Any]:
    if hint in _PLAIN:
        return _PLAIN[hint]
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        fields = {field.name: of(hints[field.name]) for field in dataclasses.fields(hint)}
        return st.builds(hint, **fields)  # type: ignore[arg-type]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(of, arguments))
    if origin is list:
        return st.lists(of(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, tuple):
        return st.builds(hint, *map(of, get_type_hints(hint).values()))
    raise TypeError(f"no strategy for {hint}")


def envelopes() -> st.SearchStrategy[Envelope]:
    """Any registered event in any envelope."""
    moment = st.integers(0, 4_000_000_000_000_000)
    return st.builds(
        Envelope,
        id=st.text(min_size=1),
        source=st.text(min_size=1),
        subject=st.text(min_size=1),
        time=moment,
        known_time=moment,
        correlation_id=st.text(min_size=1),
        causation_id=st.none() | st.text(min_size=1),
        data=st.one_of(*map(of, registered().values())),
    )
