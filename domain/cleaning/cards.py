"""Card numbers in text: found, and replaced by tokens that the caller computes.

A card number is 12 to 19 digits that pass the Luhn check, whole or in groups parted by single
spaces or dashes. One number in ten passes by chance, so ids of other kinds must lie in an
issuer's range too, and a transaction id is never replaced.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True, slots=True)
class CardToken:
    """Stands for a card number everywhere; `bin` and `last4` are all that is shown of it."""

    token: str
    bin: str
    last4: str


Tokenise = Callable[[str], CardToken]
"""From the bare digits of a card number to its token; equal digits give equal tokens."""

_SEPARATOR = r"[ \u00a0\u2009\u202f\-\u2010-\u2015]"
_RUN = re.compile(rf"\d(?:{_SEPARATOR}?\d){{11,}}")
_GROUP = re.compile(r"\d+")
_WHOLE = re.compile(rf"\s*\d(?:{_SEPARATOR}?\d){{11,18}}\s*")

# JSON text is strings, numbers and the rest; digits after a point are no card number's.
_JSON_PARTS = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)'
)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_SUSPECT = re.compile(rf"\\u|\d[eE][+-]?\d|{_RUN.pattern}")
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}"
    r"|35\d{14}|6(?:011|4\d\d|5\d\d|2\d\d)\d{12}"
)
_PLAIN = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def is_card_number(digits: str) -> bool:
    """For 12 to 19 ASCII digits: whether they pass the Luhn check and are not all zero."""
    raw = digits.encode()
    total = sum(raw[-1::-2].translate(_PLAIN)) + sum(raw[-2::-2].translate(_DOUBLED))
    return total % 10 == 0 and total > 0


def card_number(text: str) -> str | None:
    """The bare digits, where the whole text is a card number."""
    if not _WHOLE.fullmatch(text):
        return None
    digits = _digits(text)
    return digits if is_card_number(digits) else None


def tokenise_text(text: str, tokenise: Tokenise, keep: Collection[str] = ()) -> str:
    """Every card number in `text` replaced by its token; runs equal to one of `keep` stay."""
    if not _RUN.search(text):
        return text
    return _RUN.sub(lambda run: _replaced(run.group(), tokenise, keep), text)


def tokenise_id(text: str, tokenise: Tokenise) -> str:
    """Card numbers in an id replaced: those in the length and range of a large issuer, for ids hold
    other long numbers too."""
    if len(text) < 12 or not _RUN.search(text):
        return text
    return _RUN.sub(lambda run: _replaced(run.group(), tokenise, (), _is_issued), text)


def redact(raw: str, tokenise: Tokenise, keep: Collection[str] = ()) -> str:
    """`raw` as received, card numbers replaced by tokens; JSON stays JSON with the same layout.

    `keep` holds texts that are ids and stay although they pass for card numbers.
    """
    if not _SUSPECT.search(raw):
        return raw
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return tokenise_text(_unescaped(raw), tokenise, keep)
    # Digits may be written as escapes; text that hides a card number this way is rewritten.
    plain = json.dumps(value, ensure_ascii=False) if "\\u" in raw else raw
    done = _JSON_PARTS.sub(lambda part: _redacted_part(part, tokenise, keep), plain)
    # A lone surrogate can only be written as an escape.
    return raw if done == plain else _HALF_PAIR.sub("\ufffd", done)


def _is_issued(digits: str) -> bool:
    return is_card_number(digits) and _ISSUERS.fullmatch(digits) is not None


def _replaced(
    run: str,
    tokenise: Tokenise,
    keep: Collection[str],
    is_card: Callable[[str], bool] = is_card_number,
) -> str:
    groups = [(found.start(), found.end()) for found in _GROUP.finditer(run)]
    parts: list[str] = []
    at = first = 0
    while first < len(groups):
        spans = list(_card_spans(run, groups, first, keep, is_card))
        if not spans:
            first += 1
            continue
        last, digits = spans[-1]  # a shorter number may pass by chance
        parts += run[at : groups[first][0]], tokenise(digits).token
        at, first = groups[last][1], last + 1
    return "".join([*parts, run[at:]])


def _card_spans(
    run: str,
    groups: list[tuple[int, int]],
    first: int,
    keep: Collection[str],
    is_card: Callable[[str], bool],
) -> Iterator[tuple[int, str]]:
    digits = ""
    for last in range(first, len(groups)):
        start, end = groups[last]
        digits += run[start:end]
        if len(digits) > 19:
            return
        if len(digits) >= 12 and run[groups[first][0] : end] not in keep:
            bare = _digits(digits)
            if is_card(bare):
                yield last, bare


def _redacted_part(part: re.Match[str], tokenise: Tokenise, keep: Collection[str]) -> str:
    text = part.group()
    if part.lastgroup == "string":
        return tokenise_text(text, tokenise, keep)
    digits = None if text in keep else _whole_number(text)
    return f'"{tokenise(digits).token}"' if digits else text


def _whole_number(text: str) -> str | None:
    """The digits of a JSON number that is a card number, in any notation."""
    if len(text) < 12 and "e" not in text.lower():
        return None
    try:
        number = Decimal(text).copy_abs()
    except InvalidOperation:  # an exponent beyond all bounds
        return None
    if not 11 <= number.adjusted() <= 18 or number != number.to_integral_value():
        return None
    return card_number(str(int(number)))


def _unescaped(raw: str) -> str:
    return re.sub(r"\\u00([0-7][0-9a-fA-F])", lambda found: chr(int(found.group(1), 16)), raw)


def _digits(text: str) -> str:
    """ASCII digits alone, also where the text writes them in another script."""
    if text.isascii():
        return text if text.isdigit() else "".join(filter(str.isdigit, text))
    return "".join(str(int(char)) for char in text if char.isdecimal())
