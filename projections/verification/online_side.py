"""Comparison of the stored online states with those computed from the log at their versions."""

from collections.abc import Iterator

import numpy as np

from domain.errors import IntegrityError
from domain.features import Entity
from domain.features.engine import blank, finish_all
from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.row_layout import IS_REQUEST, KIND
from domain.features.state import version_of
from eventlog.routing import shard_of
from projections.online.port import ReadStates
from projections.verification.comparing import Compared, Difference, differing, exact
from projections.verification.log_side import LogSide

_AT_ONCE = 2_000


def compare_states(log: LogSide, read: ReadStates, entity: Entity, into: Compared) -> Iterator[int]:
    """Compares all states of one kind of entity; yields how many were done.

    A state is to hold what its version map says and what its shard's marker promises. What is
    stored beyond the end of our reading of the log is left out.
    """
    keys = list(log.events.keys[entity])
    ends = _ends(log)
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        found = read([(entity, key) for key in some])
        stored = [state.to_bytes() if state.version else b"" for state in found.states]
        versions = np.full((len(some), log.partitions), -1, dtype=np.int64)
        for row, (key, data) in enumerate(zip(some, stored, strict=True)):
            marker = found.markers.at.get(shard_of(entity, key))
            held = version_of(data) if data else {}
            for partition in range(log.partitions):
                promised = marker.covers(partition) if marker else -1
                versions[row, partition] = max(promised, held.get(partition, -1))
        ours = np.arange(start, start + len(some), dtype=np.int64)
        newer = (versions > ends).any(axis=1)
        expected = log.states(entity, start, versions)
        for row in np.flatnonzero(~newer).tolist():
            into.values += len(log.features.by_entity[entity])
            if stored[row] != expected[row]:
                _tell(log, entity, int(ours[row]), stored[row], expected[row], into)
        yield len(some)


def _ends(log: LogSide) -> Ints:
    """Per partition the last offset that we know of."""
    return np.asarray(log.ends, dtype=np.int64)


def _tell(
    log: LogSide, entity: Entity, number: int, stored: bytes, expected: bytes, into: Compared
) -> None:
    """Names the features that differ at the entity's last transaction, or else the state."""
    key = log.events.keys[entity][number]
    rows = np.flatnonzero(log.events.codes[entity] == number)
    last = int(rows[-1])
    try:
        mine, theirs = (_finished(log, entity, last, data) for data in (expected, stored))
    except IntegrityError as error:
        into.add(Difference("(state)", entity.value, key, log.position(last), "", str(error)))
        return
    columns = np.flatnonzero(differing(mine, theirs)[0]).tolist()
    if not columns:
        sizes = f"{len(expected)} bytes", f"{len(stored)} bytes"
        into.add(Difference("(state)", entity.value, key, log.position(last), *sizes))
    for column in columns:
        name = log.features.names[column]
        values = exact(mine[0, column]), exact(theirs[0, column])
        into.add(Difference(name, entity.value, key, log.position(last), *values))


def _finished(log: LogSide, entity: Entity, row: int, data: bytes) -> Floats:
    out = blank(log.features, 1)
    asking = log.events.rows[row].copy()
    asking[KIND] = IS_REQUEST
    finish_all(log.features, [(entity, data, [])], asking, out[0])
    return out
