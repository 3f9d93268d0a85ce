"""Numbers of rules as short text: `0-2,7` for 0, 1, 2 and 7."""

from collections.abc import Iterable


def as_text(numbers: Iterable[int]) -> str:
    """Of ascending numbers."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def from_text(text: str) -> list[int]:
    """Raises ValueError for any other text."""
    numbers: list[int] = []
    for span in text.split(",") if text else []:
        first, _, last = span.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers
