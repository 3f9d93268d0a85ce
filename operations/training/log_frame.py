"""Owns the training frame of the log itself: a replay, as known at one moment; trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from domain.errors import InvalidInputError
from domain.features import CATALOGUE
from domain.times import to_rfc3339
from inference.serving.graph import as_rows
from inference.training.frame.frame import MATURITIES, Frame, Payments
from projections.replay.dataset import UNLABELLED, Dataset, dataset
from runtime.composition.history import open_history
from runtime.settings import Settings


def ideal_frame(settings: Settings, as_known_at: int, say: Any, count: Any) -> Frame:
    """Every transaction known by then, with its label as known by then; microseconds UTC.

    `say(text)` is told each step, `count(done, of)` the records read. Raises UnavailableError where
    the log does not answer, InvalidInputError where nothing was known then.
    """
    made, ends = _replayed(settings, as_known_at, None, None, say, count)
    return replace(frame_of(made, as_known_at), positions=ends)


def frame_of(made: Dataset, as_known_at: int) -> Frame:
    """Its rows by time. Raises InvalidInputError where there is none."""
    if not len(made):
        raise InvalidInputError(
            "as_known_at",
            f"no transaction was known by {to_rfc3339(as_known_at)}: ingest history first",
        )
    order = np.argsort(made.times, kind="stable")
    labels = made.labels[order]
    return Frame(
        as_rows(made.values)[order],
        np.where(labels == UNLABELLED, np.nan, labels.astype(np.float64)),
        made.times[order],
        np.ones(len(made)),
        CATALOGUE.names,
        CATALOGUE.hash,
        as_known_at,
        tuple(feature.definition for feature in CATALOGUE.features),
        Payments(*(getattr(made.payments, field.name) for field in fields(Payments))).take(order),
    )


def replayed(
    settings: Settings,
    as_known_at: int,
    begin: int | None,
    end: int | None,
    say: Any,
    count: Any,
    maturities: Sequence[int] = MATURITIES,
) -> Dataset:
    """The vectors of transactions with begin <= event time < end, as of their own known times."""
    return _replayed(settings, as_known_at, begin, end, say, count, maturities)[0]


def _replayed(
    settings: Settings,
    as_known_at: int,
    begin: int | None,
    end: int | None,
    say: Any,
    count: Any,
    maturities: Sequence[int] = MATURITIES,
) -> tuple[Dataset, tuple[int, ...]]:
    """The vectors, and the offset per partition up to which the log was read."""
    with open_history(settings) as (_, history):
        say("reading the log")
        total, read = sum(history.ends), [0]

        def progress(more: int) -> None:
            read[0] += more
            count(read[0], total)

        events = history.events(progress, by_known_time=True)
    say(f"replaying {len(events):,} events")
    made = dataset(
        events,
        CATALOGUE,
        as_known_at=as_known_at,
        begin=begin,
        end=end,
        maturities=maturities,
    )
    return made, history.ends
