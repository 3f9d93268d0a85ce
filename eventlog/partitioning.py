"""Partition of a key: murmur2, bit for bit as Java's default partitioner."""

from functools import lru_cache

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """32-bit unsigned. Source: org.apache.kafka.common.utils.Utils.murmur2."""
    length = len(data)
    h = (_SEED ^ length) & _MASK
    whole = length & ~3
    for start in range(0, whole, 4):
        k = (int.from_bytes(data[start : start + 4], "little") * _M) & _MASK
        h = ((h * _M) & _MASK) ^ (((k ^ (k >> 24)) * _M) & _MASK)
    if length > whole:
        h = ((h ^ int.from_bytes(data[whole:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


# Routers ask for the same cards and merchants over and over.
@lru_cache(maxsize=1 << 16)
def partition_for(key: str, partitions: int) -> int:
    """Java drops the sign bit rather than taking the absolute value."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
