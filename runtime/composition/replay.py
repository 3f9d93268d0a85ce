"""Composition of the replay of decisions: the whole log, models and the language of rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runtime.composition.history import open_history
from runtime.composition.models import open_scorers, rule_language
from runtime.settings import Settings

if TYPE_CHECKING:
    from operations.replay.verify import ReplayPorts


@contextmanager
def open_replay(settings: Settings) -> Iterator[ReplayPorts]:
    """Raises UnavailableError, IntegrityError for another log's archive."""
    from operations.replay.verify import ReplayPorts

    with open_history(settings) as (log, history), open_scorers(settings) as load:
        yield ReplayPorts(log, history, load, rule_language())
