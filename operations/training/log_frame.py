"""Training frame of the log: every transaction replayed, with its label as known at one moment."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.errors import InvalidInputError
from domain.features import CATALOGUE, FeatureSet
from domain.features.payments import MATURITIES, UNLABELLED
from domain.times import to_rfc3339
from eventlog.archive.history import History
from eventlog.events_table import EventTable
from inference.frame.frame import Frame, Ints
from inference.serving.graph import Matrix, as_rows
from operations.progress import Count, Say, read_events
from projections.replay.dataset import Dataset, dataset


def ideal_frame(history: History, as_known_at: int, say: Say, count: Count) -> Frame:
    """Every transaction known by then, with its label as known by then; microseconds UTC.

    Raises UnavailableError where the log does not answer, InvalidInputError where nothing was known
    then.
    """
    made = replayed(history, as_known_at, None, None, say, count)
    return replace(frame_of(made, as_known_at), positions=history.ends)


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
        _by_time(as_rows(made.values), order),
        np.where(labels == UNLABELLED, np.nan, labels.astype(np.float64)),
        made.times[order],
        np.ones(len(made)),
        CATALOGUE.names,
        CATALOGUE.hash,
        as_known_at,
        tuple(feature.definition for feature in CATALOGUE.features),
        made.payments.take(order),
    )


def _by_time(rows: Matrix, order: Ints) -> Matrix:
    """Without a copy where they are in that order."""
    return rows if (order[1:] > order[:-1]).all() else rows[order]


def replayed(
    history: History,
    as_known_at: int,
    begin: int | None,
    end: int | None,
    say: Say,
    count: Count,
    maturities: Sequence[int] = MATURITIES,
    features: FeatureSet = CATALOGUE,
) -> Dataset:
    """The vectors of transactions with begin <= event time < end, as of their own known times."""

    def read() -> EventTable:
        events = read_events(history, say, count, by_known_time=True)
        say(f"replaying {len(events):,} events")
        return events

    # Given away: they are freed once they are no longer needed.
    return dataset(
        read(), features, as_known_at=as_known_at, begin=begin, end=end, maturities=maturities
    )
