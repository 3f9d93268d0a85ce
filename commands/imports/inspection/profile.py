"""Profile of a column: what its values are, how many are missing, and which there are."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?[$€£]?\d[\d.,]*(?:[eE][+-]?\d+)?")
_DAY = r"(?:\d{4}[-/. ]\d\d?[-/. ]\d\d?|\d\d?[-/. ]\d\d?[-/. ](?:\d{4}|\d\d))"
_TIME = re.compile(rf"{_DAY}[ T,]+\d\d?:\d\d.*")
_DATE = re.compile(_DAY)
_TIME_OF_DAY = re.compile(r"\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?")
_EXAMPLES = 3
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Profile:
    """Of the sample alone. `kind` is integer, number, time, date, time of day, truth, object or
    text; empty without a value.

    `least` and `most` are those of numbers and times. Examples are the most frequent values,
    card numbers taken out.
    """

    name: str
    kind: str
    rows: int
    missing: int
    distinct: int
    least: str
    most: str
    examples: tuple[str, ...]

    @property
    def unique(self) -> bool:
        return self.rows > 0 and self.distinct == self.rows

    @property
    def counts(self) -> bool:
        """True of whole numbers that only number the rows: another file has the same."""
        whole = self.kind == "integer" and self.unique and f"{self.least}{self.most}".isdecimal()
        return whole and int(self.most) - int(self.least) == self.rows - 1


def profile_of(name: str, values: Sequence[Any], redact: Callable[[str], str]) -> Profile:
    """`redact` takes card numbers out of a text."""
    given = [value for value in values if value is not None and str(value).strip()]
    kinds = {_kind(value) for value in given}
    kind = kinds.pop() if len(kinds) == 1 else "number" if kinds == _NUMBERS else "text"
    texts = [str(value).strip() for value in given]
    least = most = ""
    if kind in _NUMBERS and given:
        sizes = {text: _size(text) for text in texts}
        least, most = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    elif kind == "time" and texts[0][:4].isdecimal():
        least, most = min(texts), max(texts)
    counted = Counter(texts)
    shown = tuple(_masked(text, redact)[:_LONGEST] for text, _ in counted.most_common(_EXAMPLES))
    return Profile(
        name,
        kind if given else "",
        len(values),
        len(values) - len(given),
        len(counted),
        _masked(least, redact),
        _masked(most, redact),
        shown,
    )


_NUMBERS = {"integer", "number"}


_KINDS = (
    (_INTEGER, "integer"), (_TIME, "time"), (_DATE, "date"), (_TIME_OF_DAY, "time of day"),
    (_NUMBER, "number"),
)  # fmt: skip


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, dict | list):
        return "object"
    if isinstance(value, datetime):
        return "time"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float | Decimal):
        return "number"
    text = str(value).strip()
    for pattern, kind in _KINDS:
        if pattern.fullmatch(text):
            return kind
    return "text"


def _masked(text: str, redact: Callable[[str], str]) -> str:
    masked = redact(text)
    # A number alone is JSON, and its token then a quoted text.
    return masked if '"' in text else masked.replace('"', "")


def _size(text: str) -> float:
    try:
        return float(text.lstrip("$€£").replace(",", ""))
    except ValueError:
        return 0.0
