"""Memory of this process, as glibc's allocator gives it back to the system."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of mallopt(3)


def keep_freed_memory() -> None:
    """Large arrays that are freed and asked for again keep their pages, for the process's life.

    By default glibc gives each of many MB back at once, and the kernel clears its pages anew: more
    than half of the time of a training. No effect where the C library is another.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_MAX, 0)
            mallopt(_TRIM_THRESHOLD, 2**31 - 1)
