"""Entries of lists in files: CSV of our own, and the public formats of OFAC and the UN.

| format | |
|---|---|
| `csv` | a header with `value`, and `until` (a date or time) and `reason` where there are any |
| `ofac` | `sdn.csv` or `alt.csv`: no header, `-0-` where there is nothing |
| `un` | the consolidated list in XML: names and aliases of persons and entities |
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, get_args
from xml.etree.ElementTree import Element, ParseError, iterparse

from commands.policy.lists.change import MOST_TEXT
from domain.cleaning.unclean import UncleanError
from domain.errors import InvalidInputError
from domain.events import ListEntry
from domain.times import from_rfc3339
from operations.policy.places import Fault

Clean = Callable[[str, str], list[str]]
"""From a list's kind and an entry as written to its texts. Raises UncleanError."""
Format = Literal["csv", "ofac", "un"]
FORMATS: tuple[Format, ...] = get_args(Format)

_COLUMNS = {"value", "until", "reason"}
_NOTHING = "-0-"
_SDN_COLUMNS, _ALT_COLUMNS = 12, 5
_NAME_PARTS = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")


class _Row(NamedTuple):
    line: int
    value: str
    until: str = ""
    reason: str = ""


def read_entries(
    path: Path, of: str, clean: Clean, form: Format = "csv"
) -> tuple[list[ListEntry], list[Fault]]:
    """All that is right, of equal texts the last, and all that is wrong.

    Raises InvalidInputError where there is no such file.
    """
    if not path.is_file():
        raise InvalidInputError("FILE", f"there is no file {path}")
    if form != "csv" and of != "name":
        raise InvalidInputError("--format", f"{form} has names, and the list is one of {of}")
    entries: dict[str, ListEntry] = {}
    faults: list[Fault] = []
    line = 0
    try:
        for line, value, until, reason in _READERS[form](path):
            try:
                ends = _until(until)
                texts = clean(of, value)
            except (UncleanError, ValueError) as error:
                faults.append(Fault(str(path), line, 1, str(error)))
                continue
            if any(len(text) > MOST_TEXT for text in (*texts, reason)):
                faults.append(Fault(str(path), line, 1, f"a text is longer than {MOST_TEXT}"))
                continue
            entries |= {text: ListEntry(text, ends, reason) for text in texts}
    except (UnicodeDecodeError, csv.Error, ParseError, ValueError) as error:
        faults.append(Fault(str(path), line + 1, 1, f"is no {form}: {error}"))
    return list(entries.values()), faults


def _csv(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        names = set(rows.fieldnames or ())
        if "value" not in names or not names <= _COLUMNS:
            raise ValueError("expected a first line with value, and until and reason or neither")
        for row in rows:
            if None in row:
                raise ValueError("the line has more columns than the first one")
            texts = (row.get(name) or "" for name in ("value", "until", "reason"))
            yield _Row(rows.line_num, *texts)


def _ofac(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, skipinitialspace=True)
        for row in rows:
            if len(row) <= 1:
                continue  # the file ends with a line that holds one control character
            if len(row) not in (_SDN_COLUMNS, _ALT_COLUMNS):
                raise ValueError(f"expected {_SDN_COLUMNS} or {_ALT_COLUMNS} columns")
            is_alias = len(row) == _ALT_COLUMNS
            name, more = (row[3], row[2]) if is_alias else (row[1], row[3])
            told = [f"OFAC {row[0].strip()}", "" if more.strip() == _NOTHING else more.strip()]
            if name.strip() != _NOTHING:
                yield _Row(rows.line_num, name, reason=" ".join(filter(None, told))[:MOST_TEXT])


def _un(path: Path) -> Iterator[_Row]:
    number = 0
    for _, node in iterparse(path):
        if node.tag in ("INDIVIDUAL", "ENTITY"):
            number += 1
            reason = f"UN {_text(node, 'REFERENCE_NUMBER')}".strip()
            names = [" ".join(filter(None, (_text(node, part) for part in _NAME_PARTS)))]
            aliases = node.iter(f"{node.tag}_ALIAS")
            names += (_text(alias, "ALIAS_NAME") for alias in aliases)
            # A line of the file is not known here: the number of the person or entity is.
            yield from (_Row(number, name, reason=reason) for name in names if name)
            node.clear()


def _text(node: Element, tag: str) -> str:
    return (node.findtext(tag) or "").strip()


_READERS: dict[Format, Callable[[Path], Iterator[_Row]]] = {"csv": _csv, "ofac": _ofac, "un": _un}


def _until(text: str) -> int | None:
    """Microseconds; a date alone is its beginning. Raises ValueError."""
    text = text.strip()
    if not text:
        return None
    return from_rfc3339(f"{text}T00:00:00Z" if len(text) == len("2026-01-31") else text)
