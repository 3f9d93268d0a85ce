"""The clock of this installation: the only one that is read for the times of events."""

import time


def now_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000
