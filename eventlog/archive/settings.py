"""Owns what the archive must be told: where it lies and when a file is cut."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """`url` is a folder or `s3://bucket/prefix`; `s3_endpoint` is for servers other than AWS.

    A file is cut at `rows` records or `size` bytes of their values, or when its first record has
    waited for `seconds`.
    """

    url: str
    s3_endpoint: str = ""
    rows: int = 50_000
    size: int = 16 * 1024 * 1024
    seconds: float = 300.0
