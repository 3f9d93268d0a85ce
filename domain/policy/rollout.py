"""Owns which transactions a roll-out takes: a hash of the id, salted by the model; keeps nothing.

The place of an id is SHA-256 of `<model hash>/<transaction id>`, its first eight bytes as a number
modulo 10,000. It is the same everywhere and for ever; ids whose place lies below the share fall to
the model, so that whoever is in at a share is in at every greater one; and other models draw other
ids, so that the same customers are not tried on each time.
"""

from __future__ import annotations

from hashlib import sha256

WHOLE = 10_000
"""All traffic, in basis points."""


def place(transaction_id: str, model_hash: str) -> int:
    """From 0 to 9,999, uniform over ids; 2^64 is large enough for its remainder not to show."""
    digest = sha256(f"{model_hash}/{transaction_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % WHOLE


def falls_to(transaction_id: str, model_hash: str, share: int) -> bool:
    """True where the model decides the transaction at `share` basis points."""
    return place(transaction_id, model_hash) < share
