"""CPU features, on which the bits of scores depend."""

import platform
from functools import lru_cache

import numpy as np


@lru_cache(maxsize=1)
def cpu_features() -> str:
    """Architecture and the SIMD extensions found, e.g. `x86_64/X86_V3+X86_V4+AVX512_ICL`."""
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    found = [*simd.get("baseline", []), *simd.get("found", [])]
    return f"{platform.machine()}/{'+'.join(found) or 'none'}"
