"""Names: the entry of a list that is most like a text.

Both are folded: without accents, case and punctuation, words in alphabetical order. The likeness of
a and b is 2 * LCS(a, b) / (|a| + |b|), LCS the length of the longest common subsequence: the
normalised indel similarity, which `token_sort_ratio` of known libraries gives in hundredths.

Compared are entries that share with the text the first or the last three letters of a word, those
of the rarest ends first, as long as they are at most MOST_COMPARED. An equal name is always among
them; one is missed that shares nothing but ends which hundreds of entries have.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MOST_COMPARED = 500
_ENDS = 3


@dataclass(frozen=True, slots=True)
class Names:
    """Immutable. `entries` are (as written, end) by the folded name."""

    entries: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    _sharing: Mapping[str, list[str]] = field(default_factory=dict)

    def changed(self, entries: Iterable[tuple[str, int]]) -> Names:
        """With (name, end); an end of 0 removes."""
        made = {**self.entries, **{folded(name): (name, end) for name, end in entries}}
        made = {name: each for name, each in made.items() if each[1]}
        sharing: dict[str, list[str]] = {}
        for name in sorted(made):
            for part in _parts(name):
                sharing.setdefault(part, []).append(name)
        return Names(made, sharing)

    def most_like(self, text: str, moment: int) -> tuple[float, str]:
        """(likeness from 0 to 1, the entry as written) of those that have not ended by then.

        Of equal likeness the first in alphabetical order; (0.0, "") where nothing compares.
        """
        sought = folded(text)
        masks = _masks(sought)
        best, found = 0.0, ""
        for name in sorted(self._near(sought)):
            total = len(sought) + len(name)
            if 2 * min(len(sought), len(name)) <= best * total or self.entries[name][1] <= moment:
                continue
            like = 2 * _common(masks, len(sought), name) / total
            if like > best:
                best, found = like, self.entries[name][0]
        return best, found

    def _near(self, sought: str) -> set[str]:
        near: set[str] = set()
        sharing = [(self._sharing.get(part, []), part) for part in _parts(sought)]
        for names, _ in sorted(sharing, key=lambda each: (len(each[0]), each[1])):
            if near and len(near) + len(names) > MOST_COMPARED:
                break
            near.update(names)
        return near


NO_NAMES = Names()


def folded(text: str) -> str:
    """Empty where the text has neither letters nor digits."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(sorted("".join(kept).split()))


def _parts(name: str) -> Iterator[str]:
    for word in set(name.split()):
        yield f"{word[:_ENDS]}*"
        yield f"*{word[-_ENDS:]}"


def _masks(text: str) -> dict[str, int]:
    masks: dict[str, int] = {}
    for place, letter in enumerate(text):
        masks[letter] = masks.get(letter, 0) | 1 << place
    return masks


def _common(masks: Mapping[str, int], length: int, other: str) -> int:
    """Length of the longest common subsequence, bit-parallel (Hyyro 2004)."""
    whole = (1 << length) - 1
    rows = whole
    for letter in other:
        matched = rows & masks.get(letter, 0)
        rows = (rows + matched | rows - matched) & whole
    return length - rows.bit_count()
