"""Offline vectors: one row per transaction decided or imported, with the bits of the ideal one."""

from collections.abc import Iterator, Mapping

import numpy as np

from domain.features import FeatureSet
from domain.features.kernel.arrays import Floats
from faults.audit.evidence import Evidence, Finding, VectorRow
from faults.audit.reading import Reading
from projections.replay.ideal import ideal_vectors
from projections.verification.comparing import differing, exact

CHECK = "vectors"


def check_vectors(evidence: Evidence, reading: Reading) -> Iterator[Finding]:
    if evidence.vectors is None:
        return
    ideal = ideal_vectors(reading.events, evidence.features, threads=1)
    ids = reading.events.transaction_ids[ideal.at].tolist()
    # The row of an id that was used again is that of its last use.
    rows = {transaction_id: row for row, transaction_id in enumerate(ids)}
    known = reading.events.known[ideal.at]
    for transaction_id in sorted(rows.keys() - evidence.vectors.keys()):
        yield Finding(CHECK, f"{transaction_id}: no row is stored", "lost")
    for transaction_id in sorted(evidence.vectors.keys() - rows.keys()):
        yield Finding(CHECK, f"{transaction_id}: a row is stored and no decision or import counts")
    both = sorted(rows.keys() & evidence.vectors.keys())
    for transaction_id in both:
        stored, stated = evidence.vectors[transaction_id].known, int(known[rows[transaction_id]])
        if stored != stated:
            yield Finding(CHECK, f"{transaction_id}: known at {stored}, in the log at {stated}")
    at = [rows[transaction_id] for transaction_id in both]
    yield from _bits(both, ideal.values[at], evidence.vectors, evidence.features)


def _bits(
    ids: list[str], expected: Floats, stored: Mapping[str, VectorRow], features: FeatureSet
) -> Iterator[Finding]:
    whole = []
    for place, transaction_id in enumerate(ids):
        width = len(stored[transaction_id].values)
        if width == len(features):
            whole.append(place)
        else:
            yield Finding(CHECK, f"{transaction_id}: {width} values of {len(features)}")
    found = np.array(
        [[np.nan if v is None else v for v in stored[ids[place]].values] for place in whole],
        dtype=np.float64,
    ).reshape(len(whole), len(features))
    wanted = expected[whole]
    for row, column in zip(*np.nonzero(differing(wanted, found)), strict=True):
        values = f"{exact(found[row, column])}, ideal {exact(wanted[row, column])}"
        yield Finding(CHECK, f"{ids[whole[row]]}: {features.names[column]} is {values}")
