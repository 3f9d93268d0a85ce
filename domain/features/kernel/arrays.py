"""Array types of the kernel; its functions take no others."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

Tables = tuple[Ints, Ints, int]
"""(stores, features, digest): see layout.py and domain.features.declarations.plan."""
Scratch = tuple[Ints, Ints, Ints, Ints, Ints]
"""(mem, heads, head, version, spare): the memory for one state."""
