"""Values of a label column: 1 for fraud, 0 for genuine, as a mapping or the usual spellings say."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from commands.imports.mapping.model import LabelMapping
from commands.imports.mapping.values import as_text, unquoted
from commands.imports.readers.rows import RowSource
from domain.cleaning.cards import card_number
from domain.errors import InvalidInputError

_TRUE = frozenset(("1", "1.0", "true", "t", "yes", "y", "fraud", "fraudulent"))
_FALSE = frozenset(("0", "0.0", "false", "f", "no", "n", "genuine", "legit", "legitimate"))


def read_label(value: object) -> int | None:
    """1 for fraud, 0 for genuine, None for not labelled. Raises ValueError."""
    if value is None:
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | Decimal) and value in (0, 1):
        return int(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if not word:
            return None
        if word in _TRUE:
            return 1
        if word in _FALSE:
            return 0
    raise ValueError("expected 1 (fraud), 0 (genuine) or nothing")


class LabelReader:
    """The label of a value under a mapping; `column` is where it stands."""

    def __init__(self, mapping: LabelMapping) -> None:
        self.column = mapping.column
        given = mapping.values
        self._values = given and {as_text(key): word for key, word in given.items()}

    def __call__(self, value: object) -> int | None:
        """As `read_label`. Raises ValueError for a value that the mapping does not list."""
        if self._values is None:
            return read_label(value)
        text = "" if value is None else as_text(value)
        word = self._values.get(text, "" if not text else None)
        if word is None:
            raise ValueError("has a value that the mapping does not list under label.values")
        return _WORDS[word]


_WORDS = {"fraud": 1, "genuine": 0, "": None}
_MOST_VALUES = 20


def check_labels(
    rows: RowSource, label: LabelReader, option: str, limit: int | None = None, quotes: str = ""
) -> None:
    """Reads the labels of a whole file before anything is imported.

    Raises InvalidInputError with a table of values and counts where one of them has no meaning.
    """
    found: Counter[str] = Counter()
    unread: set[str] = set()
    for given, count in _counted(rows, label.column, limit):
        value = unquoted(given, quotes)
        text = "" if value is None else as_text(value)
        if text not in found:
            try:
                label(value)
            except ValueError:
                unread.add(text)
        # Of a column that holds no labels at all, a few values tell enough.
        if len(found) < 1000 or text in found:
            found[text] += count
    if unread:
        raise InvalidInputError(option, _told(label.column, found, unread))


def _counted(rows: RowSource, column: str, limit: int | None) -> Iterator[tuple[object, int]]:
    """Values and how often they come, batch by batch."""
    left = limit
    for batch in rows.batches():
        values = batch.column(column)[:left]
        try:
            # 1 and True are equal, and not written alike.
            times = Counter(zip(map(type, values), values, strict=True))
            yield from ((value, count) for (_, value), count in times.items())
        except TypeError:  # lists and objects of JSON cannot be counted
            yield from ((value, 1) for value in values)
        if left is not None and (left := left - len(values)) <= 0:
            return


def _told(column: str, found: Counter[str], unread: set[str]) -> str:
    lines = [
        f"  {count:>12,}  {_shown(value)}{'  <- no meaning' if value in unread else ''}"
        for value, count in found.most_common(_MOST_VALUES)
    ]
    more = len(found) - len(lines)
    return "\n".join(
        [
            f"column {column!r} holds labels that are neither fraud nor genuine; nothing was"
            " imported. Write in the mapping which is which, under label.values:",
            *lines,
            *([f"  and {more:,} other values"] if more > 0 else []),
        ]
    )


def _shown(value: str) -> str:
    if not value:
        return "(empty)"
    return "(a card number)" if card_number(value) else value[:40]
