"""Encoding of a text file: stated, told by a byte order mark, or proven by its zero bytes."""

import codecs

from domain.errors import InvalidInputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SHARE = 0.4
_UTF8 = {"utf-8", "utf-8-sig"}


def encoding_of(head: bytes, stated: str | None = None) -> str:
    """Name of a codec. A byte order mark wins; without one, and with nothing stated, it is UTF-8.

    An 8-bit encoding is never guessed: the bytes of one are letters in all others.
    Raises InvalidInputError for a stated encoding that does not exist.
    """
    name = None if stated is None else known_encoding(stated)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    return name or _without_mark(head)


def known_encoding(stated: str) -> str:
    """The codec of that name. Raises InvalidInputError."""
    try:
        codec = codecs.lookup(stated)
        "".encode(codec.name).decode(codec.name)
    except (LookupError, ValueError):
        raise InvalidInputError(
            "--encoding", f"{stated!r} is no encoding: name one such as utf-8, cp1252 or latin-1"
        ) from None
    return codec.name


def errors_of(encoding: str) -> str:
    """How undecodable bytes travel; `undecodable` finds them again, row by row."""
    return "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"


def undecodable(text: str, encoding: str) -> bool:
    """Whether bytes of it were no text in the encoding."""
    if text.isascii():
        return False
    if encoding.startswith(("utf-16", "utf-32")):
        return "\ufffd" in text
    return any("\udc80" <= char <= "\udcff" for char in text)


def undecodable_reason(encoding: str) -> str:
    shown = encoding.removesuffix("-sig").upper()
    if encoding in _UTF8:
        return "holds bytes that are not UTF-8: state the file's encoding, --encoding cp1252"
    return f"holds bytes that are not {shown}"


def _without_mark(head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    least = _SHARE * (len(head) // 2)
    if len(head) >= 4 and odd >= least and even < least:
        return "utf-16-le"
    if len(head) >= 4 and even >= least and odd < least:
        return "utf-16-be"
    return "utf-8"
