"""Roll-out: which transactions go to a model, by a hash of the id, salted by the model.

The bucket of an id is SHA-256 of `<model hash>/<transaction id>`, its first eight bytes as a number
modulo 10,000. It is the same everywhere and for ever. Ids whose bucket is below the share go to the
model, so that an id that is in at one share is in at every greater one. Each model has buckets of
its own, so that not always the same customers are experimented on.
"""

from hashlib import sha256

WHOLE = 10_000
"""All traffic, in basis points."""


def bucket(transaction_id: str, model_hash: str) -> int:
    """From 0 to 9,999, uniform over ids; 2^64 is large enough for its remainder not to show."""
    digest = sha256(f"{model_hash}/{transaction_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % WHOLE


def in_roll_out(transaction_id: str, model_hash: str, share: int) -> bool:
    """True where the model decides the transaction at `share` basis points."""
    return bucket(transaction_id, model_hash) < share
