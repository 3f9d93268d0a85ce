"""Training frame of the values that decisions were served. That of the log is in log_frame.py."""

from collections.abc import Callable, Sequence

import numpy as np

from domain.errors import InvalidInputError
from domain.features import CATALOGUE, FeatureSet
from domain.features.payments import MATURITIES
from domain.times import to_rfc3339
from inference.frame.frame import Frame
from projections.readmodels.queries.served_values import ServedValues

ServedQuery = Callable[[FeatureSet, Sequence[int], int], ServedValues]
"""As served_values, of (feature set, maturities, as known at): microseconds."""


def served_frame(served: ServedQuery, as_known_at: int) -> Frame:
    """Every transaction decided by then whose features were read, with its label as known then.

    Microseconds UTC. Raises UnavailableError, InvalidInputError where nothing was decided by then.
    """
    found = served(CATALOGUE, MATURITIES, as_known_at)
    if not len(found):
        raise InvalidInputError(
            "as_known_at",
            f"nothing was decided with these features by {to_rfc3339(as_known_at)}: served values"
            " come with decisions; for imported history train on ideal ones",
        )
    return Frame(
        found.vectors,
        found.labels,
        found.times,
        np.ones(len(found)),
        CATALOGUE.names,
        CATALOGUE.hash,
        as_known_at,
        tuple(feature.definition for feature in CATALOGUE.features),
        found.payments,
    )
