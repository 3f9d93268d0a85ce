"""Comparison of the replay with the naive reference, for a sample of transactions."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.features import FeatureEvent, feature_event
from domain.features.kernel.row_layout import OFFSET, PARTITION
from domain.features.reference.naive import reference_vector
from domain.transactions import Transaction
from eventlog.archive.history import History
from projections.replay.ideal import Ideal, known_order
from projections.verification.comparing import Compared, compare
from projections.verification.log_side import LogSide
from projections.verification.postgres_side import entities_of

_SEED = 20_180_401


def compare_reference(
    log: LogSide,
    ideal: Ideal,
    within: NDArray[np.bool_],
    history: History,
    sample: int,
    into: Compared,
    count: Callable[[int, int], None],
) -> None:
    """Recomputes `sample` vectors, chosen by a fixed seed, from the decoded facts themselves."""
    candidates = np.flatnonzero(within)
    chosen = np.random.default_rng(_SEED).permutation(candidates)[:sample]
    if not len(chosen):
        return
    concerned = _concerned(log, ideal.at[chosen])
    facts, transactions = _decoded(log, history, concerned)
    place = np.empty(len(log.events.rows), dtype=np.int64)
    order = known_order(log.events)
    place[order] = np.arange(len(order))
    in_log = list(map(tuple, log.events.rows[:, [PARTITION, OFFSET]].tolist()))
    for done, at in enumerate(chosen.tolist()):
        row = int(ideal.at[at])
        mine = [r for r in _of_row(log, row) if place[r] < place[row] and r in facts]
        events = [facts[r] for r in sorted(mine, key=lambda r: in_log[r])]
        vector = reference_vector(events, transactions[row], log.features)
        compare(
            into,
            list(log.features.names),
            entities_of(log.features),
            [transactions[row].transaction_id],
            lambda _, row=row: log.position(row),  # type: ignore[misc]
            np.array([[np.nan if v is None else v for v in vector]]),
            ideal.values[at : at + 1],
        )
        count(done + 1, len(chosen))


def _of_row(log: LogSide, row: int) -> set[int]:
    """The rows that share an entity with `row`."""
    found: set[int] = set()
    for entity in log.features.entities:
        code = log.events.codes[entity][row]
        if code >= 0:
            found.update(np.flatnonzero(log.events.codes[entity] == code).tolist())
    return found


def _concerned(log: LogSide, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    mask = np.zeros(len(log.events.rows), dtype=bool)
    for entity in log.features.entities:
        codes = log.events.codes[entity]
        named = np.unique(codes[rows])
        mask |= np.isin(codes, named[named >= 0])
    mask[rows] = True
    return mask


def _decoded(
    log: LogSide, history: History, concerned: NDArray[np.bool_]
) -> tuple[dict[int, FeatureEvent], dict[int, Transaction]]:
    """The facts of the rows concerned, decoded again from the log."""
    facts: dict[int, FeatureEvent] = {}
    transactions: dict[int, Transaction] = {}
    rows = log.events.rows[concerned]
    wanted = {
        (int(partition), int(offset)): int(row)
        for partition, offset, row in zip(
            rows[:, PARTITION], rows[:, OFFSET], np.flatnonzero(concerned), strict=True
        )
    }
    for each in history.counting():
        row = wanted.get((each.position.partition, each.position.offset))
        if row is None:
            continue
        event = feature_event(each.envelope)
        if event is not None:
            facts[row] = event
            if event.kind == "transaction":
                transactions[row] = each.envelope.data.transaction
    return facts, transactions
