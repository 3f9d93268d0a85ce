"""Compact text of a version map {source partition: last offset folded}."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from domain.errors import IntegrityError
from domain.features.varints import Reader, Writer


def encode_versions(versions: Mapping[int, int]) -> str:
    """Partition steps and offsets as varints, base64url without padding; "" for an empty map."""
    writer = Writer()
    write_versions(writer, versions)
    return urlsafe_b64encode(writer.to_bytes()).decode().rstrip("=") if versions else ""


def decode_versions(text: str) -> dict[int, int]:
    """Raises IntegrityError where `text` was not written by `encode_versions`."""
    if not text:
        return {}
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise IntegrityError(f"version map {text!r} is not base64url: {error}") from error
    reader = Reader(data)
    versions = read_versions(reader)
    reader.finish()
    return versions


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
