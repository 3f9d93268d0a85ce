"""What the values of a column prove: the order of its dates, its decimal sign, its labels."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from commands.imports.mapping.labels import read_label
from commands.imports.mapping.model import Order
from commands.imports.mapping.values import as_text
from domain.cleaning.cards import card_number
from domain.cleaning.moments import clean_moment
from domain.cleaning.unclean import UncleanError
from domain.errors import InvalidInputError
from domain.money import AMBIGUOUS, decimal_sign, to_minor

_YEAR_LAST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ]\d{4}\b.*", re.ASCII)
_YEAR_FIRST = re.compile(r"\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}\b.*", re.ASCII)
_SHORT_YEAR = re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2}\b.*", re.ASCII)
_OFFSET = re.compile(r"(?:z|utc|gmt|[+-]\d\d:?\d\d)$", re.ASCII | re.IGNORECASE)
_MONTHS = 12
_MOST_LOOKED_UP = 30


def texts_of(values: Iterable[Any]) -> list[str]:
    return [text for value in values if isinstance(value, str) and (text := value.strip())]


def date_order(texts: Sequence[str], now: int) -> tuple[Order | None, str]:
    """(the order that is to be stated, why); (None, why) where no value proves one.

    Both empty where none is needed: years come first, in a form that cleaning reads.
    """
    parts = [(text, match) for text in texts if (match := _YEAR_LAST.fullmatch(text))]
    if not parts:
        first = next(filter(_YEAR_FIRST.fullmatch, texts), None)
        return ("ymd", f"years come first, as in {first!r}") if first and _unread(first, now) else (
            None, "",
        )  # fmt: skip
    days = [next((t for t, m in parts if int(m[at]) > _MONTHS), None) for at in (1, 2)]
    if days[0] and days[1]:
        return None, f"{days[0]!r} has its day first and {days[1]!r} its month"
    if days[0]:
        return "dmy", f"{days[0]!r} can only have its day first"
    if days[1]:
        return "mdy", f"{days[1]!r} can only have its month first"
    return None, f"no value tells whether {parts[0][0]!r} has its day (dmy) or month (mdy) first"


def has_short_years(texts: Sequence[str]) -> str:
    """The first date whose year has two digits; empty without any."""
    return next(filter(_SHORT_YEAR.fullmatch, texts), "")


def without_offset(values: Iterable[Any]) -> bool:
    """True where some time of day has no offset from UTC."""
    return any(
        value.tzinfo is None
        if isinstance(value, datetime)
        else isinstance(value, str) and ":" in value and not _OFFSET.search(value.strip())
        for value in values
    )


def decimal_of(texts: Sequence[str]) -> tuple[Literal[".", ","] | None, str]:
    """(the decimal sign to state, why); (None, why) where values need one and none proves it, and
    both empty where every value is clear by itself."""
    proofs: dict[str, str] = {}
    for text in texts:
        if (sign := decimal_sign(text)) is not None:
            proofs.setdefault(sign, text)
    unclear = next(filter(_ambiguous, texts), None)
    if len(proofs) > 1 and (unclear or "," in proofs):
        return None, f"{proofs['.']!r} has a decimal point and {proofs[',']!r} a decimal comma"
    if unclear is None and "," not in proofs:
        return None, ""
    if proofs:
        ((sign, text),) = proofs.items()
        return ("," if sign == "," else "."), f"{text!r} can be read in one way alone"
    return None, f"{unclear!r} may be a thousand or a fraction, and no value proves which"


def refused_by(
    values: Iterable[Any], clean: Callable[[Any], object]
) -> tuple[list[str], list[str]] | None:
    """(values that `clean` takes, values that it refuses), the most frequent first; None where all
    are taken, or where there are too many to look up."""
    counted = Counter(as_text(value) for value in values if value is not None)
    counted.pop("", None)
    if len(counted) > _MOST_LOOKED_UP:
        return None
    taken: list[str] = []
    refused: list[str] = []
    for text, _ in counted.most_common():
        (taken if _passes(text, clean) else refused).append(text)
    return (taken, refused) if refused else None


def label_counts(values: Iterable[Any]) -> Counter[str]:
    return Counter("" if value is None else as_text(value) for value in values)


def unread_labels(counted: Counter[str]) -> list[str]:
    """Values that are no usual spelling of fraud or genuine."""
    return [text for text in counted if not _passes(text, read_label)]


def fit_for_lookup(counted: Counter[str]) -> bool:
    """Few values, and no card number among them."""
    return len(counted) <= _MOST_LOOKED_UP and not any(map(card_number, counted))


def _passes(text: str, clean: Callable[[Any], object]) -> bool:
    try:
        clean(text)
    except (UncleanError, ValueError):
        return False
    return True


def _unread(text: str, now: int) -> bool:
    return not _passes(text, lambda value: clean_moment(value, now))


def _ambiguous(text: str) -> bool:
    try:
        to_minor(text, "USD")
    except InvalidInputError as error:
        return error.message == AMBIGUOUS
    return False
