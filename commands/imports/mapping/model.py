"""Typed mapping of a file; yaml_file.py reads and writes it, binding.py applies it."""

from typing import Literal

import msgspec

Order = Literal["ymd", "dmy", "mdy"]
Unit = Literal[
    "100ns", "us", "ms", "second", "minute", "hour", "day", "week", "month"
]  # a month is one of the calendar


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Unknown keys are refused; what has its default is not written."""


class Counter(_Strict, frozen=True):
    """Time as a number of `unit` since `start`, RFC 3339. Fractions count, but for months."""

    unit: Unit
    start: str


class FieldMapping(_Strict, frozen=True, kw_only=True):
    """How one canonical field is filled: by exactly one of its first four keys.

    Of columns that share a name, the second is `NAME.1`. `columns` are put together with `join`,
    absent parts left out, of an id with their place kept; `row` makes an id of the row's content
    and line. `values` looks the value up: what is not listed is refused, unless `*` is; an empty
    result means absent.

    Of a timestamp: a `counter`, or text in a date `order` or a strptime `format`, in `zone` where
    it has no offset; `doubled` tells which of the two hours is meant when clocks go back. Of an
    amount: its `decimal` sign, and whether to `round` half to even what a currency cannot hold.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    constant: str | None = None
    row: bool = False
    join: str | None = None
    values: dict[str, str] | None = None
    counter: Counter | None = None
    order: Order | None = None
    format: str | None = None
    zone: str | None = None
    doubled: Literal["earlier", "later", "refuse"] = "earlier"
    decimal: Literal[".", ","] | None = None
    round: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that it takes."""
        return self.columns if self.column is None else (self.column,)


class LabelMapping(_Strict, frozen=True):
    """Column of labels; `values` leads to fraud, genuine or, empty, not labelled.

    Without `values` the usual spellings of 1 and 0 are read.
    """

    column: str
    values: dict[str, Literal["fraud", "genuine", ""]] | None = None


class SecondFile(_Strict, frozen=True):
    """A second file, in the folder of the first, whose columns are added to each row.

    `on` pairs columns of the first file with those of the second that hold the same id.
    """

    file: str
    on: dict[str, str]


class FileMapping(_Strict, frozen=True, kw_only=True):
    """A whole mapping. A column that has the name of a field needs no entry.

    Columns to `ignore` go nowhere, `*` are all that have no entry; all others become attributes.
    Those of the files to `merge` are as the file's own. A pair of `quotes` around any value is
    taken off. `missing` are words for no value and `placeholders` ids for nobody, each in place of
    the usual ones.
    """

    description: str = ""
    fields: dict[str, FieldMapping] = {}
    label: LabelMapping | None = None
    ignore: tuple[str, ...] = ()
    merge: tuple[SecondFile, ...] = ()
    quotes: str = ""
    missing: tuple[str, ...] | None = None
    placeholders: tuple[str, ...] | None = None
