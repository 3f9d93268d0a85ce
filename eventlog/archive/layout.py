"""Columns and file names of the archive.

A file holds the records `first` to `last` of one partition, every offset that the log held once:

    <archive>/<topic>/partition=<n>/<first>-<last>.parquet
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

_TEXT = pa.dictionary(pa.int32(), pa.string())

RECORD = (
    pa.field("offset", pa.int64(), nullable=False),
    pa.field("key", pa.string()),
    pa.field("value", pa.binary(), nullable=False),
    pa.field("verdict", _TEXT, nullable=False),
    pa.field("type", _TEXT),
    pa.field("event_id", pa.string()),
    pa.field("subject", pa.string()),
)
"""As it lies in the log, the verdict of the void rule, and what an envelope says on its outside."""

FOLDED = (
    pa.field("kind", _TEXT),
    pa.field("time", pa.int64()),
    pa.field("order", pa.int64()),
    pa.field("known_time", pa.int64()),
    pa.field("transaction_id", pa.string()),
    pa.field("transaction_digest", pa.int64()),
    pa.field("transaction_time", pa.int64()),
    pa.field("base_amount", pa.int64()),
    *(
        pa.field(name, _TEXT)
        for name in (
            "card_id",
            "customer_id",
            "merchant_id",
            "device_id",
            "ip",
            "country",
            "channel",
        )
    ),
    *(pa.field(axis, pa.int64()) for axis in ("x", "y", "z")),
    pa.field("outcome", _TEXT),
    pa.field("label", pa.int8()),
)
"""The fact that features fold (domain.features.FeatureEvent), null where there is none.

Times are microseconds UTC, amounts minor units of the base currency; `order` and
`transaction_digest` are 64-bit digests less 2^63.
"""

SCHEMA = pa.schema([*RECORD, *FOLDED])

_NAME = re.compile(r"partition=(\d+)/(\d{20})-(\d{20})\.parquet$")
DRAFT = ".part"


def is_draft(path: str) -> bool:
    """True for a file that is being written, or whose writer died."""
    return path.endswith(DRAFT)


def folder_of(partition: int) -> str:
    """Below the folder of the topic."""
    return f"partition={partition}"


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """One file: the offsets `first` to `last`, both included, of a partition."""

    partition: int
    first: int
    last: int

    @property
    def path(self) -> str:
        """Below the folder of the topic."""
        return f"{folder_of(self.partition)}/{self.first:020d}-{self.last:020d}.parquet"

    @staticmethod
    def of(path: str) -> Piece | None:
        """None for what is no file of the archive."""
        found = _NAME.search(path)
        return Piece(*(int(part) for part in found.groups())) if found else None
