"""CEL's checked expression, from its bytes: the public message `cel.expr.CheckedExpr`.

Its fields, as far as they are read: an Any (2: value) of CheckedExpr (2: references by id, a map of
1: id to 2: Reference; 4: expr). Reference is 1: name, 3: overload ids. Expr is 2: id and one of
3: const, 4: ident (1: name), 5: select, 6: call (1: target, 2: function, 3: args), 7: list
(1: elements), 8: struct, 9: comprehension. Constant is 1: null, 2: bool, 3: int64, 4: uint64,
5: double, 6: string, 7: bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from domain.policy.rules.tree import Call, Listed, Literal, Name, Node, Other, walk

Raw = int | bytes
_Message = dict[int, list[Raw]]
_OTHERS = {5: "a field of a message", 8: "a map or message", 9: "a macro such as all or exists"}


@dataclass(frozen=True, slots=True)
class Checked:
    """A condition's tree, and what it sees."""

    tree: Node

    @property
    def names(self) -> set[str]:
        return {node.name for node in walk(self.tree) if isinstance(node, Name)}


def decoded(serialized: bytes) -> Checked:
    """Of what `Expression.serialize` gives."""
    checked = _message(_bytes(_message(serialized)[2][0]))
    references: dict[int, _Message] = {}
    for entry in checked.get(2, []):
        pair = _message(_bytes(entry))
        references[_int(pair[1][0])] = _message(_bytes(pair[2][0]))
    return Checked(_node(_bytes(checked[4][0]), references))


def _node(expr: bytes, references: dict[int, _Message]) -> Node:
    fields = _message(expr)
    reference = references.get(_int(fields[2][0])) if 2 in fields else None
    if 3 in fields:
        return _constant(_message(_bytes(fields[3][0])))
    if reference is not None and 3 not in reference and 1 in reference:
        return Name(_text(reference[1][0]))
    if 6 in fields:
        call = _message(_bytes(fields[6][0]))
        arguments = (*call.get(1, []), *call.get(3, []))
        overloads = [_text(each) for each in (reference or {}).get(3, [])]
        name = overloads[0] if len(overloads) == 1 else _text(call[2][0])
        return Call(name, tuple(_node(_bytes(each), references) for each in arguments))
    if 7 in fields:
        items = _message(_bytes(fields[7][0])).get(1, [])
        return Listed(tuple(_node(_bytes(each), references) for each in items))
    return Other(next((_OTHERS[n] for n in fields if n in _OTHERS), "this"))


def _constant(fields: _Message) -> Node:
    if 2 in fields:
        return Literal(bool(_int(fields[2][0])))
    if 3 in fields:
        value = _int(fields[3][0])
        return Literal(value - 2**64 if value >= 2**63 else value)
    if 5 in fields:
        return Literal(struct.unpack("<d", _bytes(fields[5][0]))[0])
    if 6 in fields:
        return Literal(_text(fields[6][0]))
    return Other("null, an unsigned integer or bytes")


def _message(data: bytes) -> _Message:
    found: _Message = {}
    for number, value in _fields(data):
        found.setdefault(number, []).append(value)
    return found


def _fields(data: bytes) -> Iterator[tuple[int, Raw]]:
    """Protocol buffers' wire format: (number, varint or bytes) of each field."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        if key & 7 == 0:
            value, place = _varint(data, place)
            yield key >> 3, value
            continue
        length = 8
        if key & 7 == 2:
            length, place = _varint(data, place)
        yield key >> 3, data[place : place + length]
        place += length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _bytes(value: Raw) -> bytes:
    assert isinstance(value, bytes)
    return value


def _int(value: Raw) -> int:
    assert isinstance(value, int)
    return value


def _text(value: Raw) -> str:
    return _bytes(value).decode()
