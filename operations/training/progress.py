"""Progress of the steps before a fit, such as reading the log."""

from __future__ import annotations

from collections.abc import Callable

from inference.frame.progress import Progress

Say = Callable[[str], None]
"""Takes the name of the step that begins."""
Count = Callable[[int, int], None]
"""Takes how much of the present step is done, and how much there is."""


def steps_of(progress: Progress) -> tuple[Say, Count]:
    """Two callables that pass on to `progress`."""
    step = [""]

    def say(text: str) -> None:
        step[0] = text
        progress(0.0, text)

    return say, lambda done, of: progress(done / max(of, 1), step[0])
