"""Random streams: one per concern and day, so that no concern disturbs another.

A stream is a function of (seed, concern, numbers) alone. That is what makes day n the same
whether the run is bounded, endless, or begins at day n.
"""

from zlib import crc32

import numpy as np

# Spawn keys must not be negative, and campaigns may begin before day 0.
_SHIFT = 1 << 24


def stream(seed: int, concern: str, *numbers: int) -> np.random.Generator:
    """The generator of one concern (and day, or block), always at its beginning."""
    key = (crc32(concern.encode()), *(number + _SHIFT for number in numbers))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
