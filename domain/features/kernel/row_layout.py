"""Layout of a row, the kernel's input: its columns, their values and bounds.

Ids and event ids are 64-bit digests less 2^63, so that their signed order is that of the digests.
"""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
"""[n, WIDTH]; the columns are named below."""

PARTITION, OFFSET, KIND, TIME, ORDER, AMOUNT, FILTERS, PRESENT, X, Y, Z, TRANSACTION = range(12)
CARD, CUSTOMER, MERCHANT, DEVICE, IP, COUNTRY, PAYER = range(12, 19)
WIDTH = 19
TRANSACTION_TIME = X
"""Of a label, which has no place: when its transaction happened."""

# KIND
IS_TRANSACTION, IS_GENUINE, IS_FRAUD, IS_REQUEST, IS_STEP_UP = range(5)
"""A request is finished for and not folded; a step-up is folded where a filter asks for it."""

# Bits of PRESENT: one per column of an id, then these.
HAS_PLACE, HAS_CHANNEL, IS_REMOTE = 1 << 20, 1 << 21, 1 << 22
IS_OVERRULED = 1 << 23
"""Of a label that is folded after one that stands behind it in the log: it never counts."""

PARTITIONS = 64
"""Source partitions, of all generations of the topic together, that a version map may name."""
BIAS = 1 << 63
MAX_AMOUNT = (1 << 56) - 1
"""In minor units of the base currency. The amounts of one window are to be below 2^63 together."""
