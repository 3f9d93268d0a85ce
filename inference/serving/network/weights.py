"""Weights of a network as the bytes of `weights.npz`."""

import io

import numpy as np

from inference.serving.graph import Matrix


def pack_weights(weights: list[Matrix]) -> bytes:
    """Deterministic: members carry no time."""
    buffer = io.BytesIO()
    np.savez(buffer, *weights)
    return buffer.getvalue()


def unpack_weights(data: bytes) -> list[Matrix]:
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return [stored[f"arr_{i}"] for i in range(len(stored.files))]
