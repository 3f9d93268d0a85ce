"""Compact text of what a state held: a version map, and events beside it by their positions."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from domain.errors import IntegrityError
from domain.features.varints import Reader, Writer


class Held(NamedTuple):
    """The events of an entity at or below `upto` {source partition: offset}, and those `beside`.

    `beside` are (source partition, offset) in rising order, each of them above `upto`.
    """

    upto: dict[int, int]
    beside: tuple[tuple[int, int], ...] = ()

    def holds(self, partition: int, offset: int) -> bool:
        return offset <= self.upto.get(partition, -1) or (partition, offset) in self.beside


def encode_held(upto: Mapping[int, int], beside: Sequence[tuple[int, int]] = ()) -> str:
    """Steps of partitions and offsets as varints, base64url without padding; "" for nothing.

    Without anything `beside` it is the text that was always written.
    """
    if not upto and not beside:
        return ""
    writer = Writer()
    write_versions(writer, upto)
    before, last = 0, 0
    for partition, offset in sorted(beside):
        if partition != before:
            last = 0
        writer.varint(partition - before)
        writer.varint(offset - last)
        before, last = partition, offset
    return text_of(writer.to_bytes())


def text_of(held: bytes) -> str:
    return urlsafe_b64encode(held).decode().rstrip("=")


def decode_held(text: str) -> Held:
    """Raises IntegrityError where `text` was not written by `encode_held`."""
    if not text:
        return Held({})
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise IntegrityError(f"version map {text!r} is not base64url: {error}") from error
    reader = Reader(data)
    upto = read_versions(reader)
    beside: list[tuple[int, int]] = []
    partition, offset = 0, 0
    while reader.more:
        step = reader.varint()
        partition, offset = partition + step, (0 if step else offset) + reader.varint()
        beside.append((partition, offset))
    return Held(upto, tuple(beside))


def write_versions(writer: Writer, versions: Mapping[int, int]) -> None:
    writer.varint(len(versions))
    before = 0
    for partition in sorted(versions):
        writer.varint(partition - before)
        writer.varint(versions[partition])
        before = partition


def read_versions(reader: Reader) -> dict[int, int]:
    versions: dict[int, int] = {}
    partition = 0
    for _ in range(reader.varint()):
        partition += reader.varint()
        versions[partition] = reader.varint()
    return versions
