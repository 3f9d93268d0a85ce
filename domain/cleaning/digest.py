"""Keyed digest of a submission: equal content under one id has an equal digest."""

import json
from hashlib import blake2b

from domain.transactions import Transaction


def content_digest(transaction: Transaction, key: bytes) -> str:
    """32 hex digits over what was sent, attributes included; `key` has 1 to 64 bytes.

    What follows from it is left out: the base amount, which a better table of rates would change,
    and the parts of the card number, which its token stands for.
    """
    tx = transaction
    attributes = (
        json.dumps(tx.attributes, sort_keys=True, separators=(",", ":")) if tx.attributes else ""
    )
    # No cleaned value holds a line break, so that the joined text is read in one way only.
    content = (
        f"1\n{tx.transaction_id}\n{tx.timestamp}\n{tx.amount}\n{tx.currency}\n"
        f"{tx.card_id}\n{tx.customer_id}\n{tx.merchant_id}\n{tx.mcc}\n{tx.device_id}\n{tx.ip}\n"
        f"{tx.country}\n{tx.lat!r}\n{tx.lon!r}\n{tx.channel}\n{_present(tx)}\n{attributes}"
    )
    return blake2b(content.encode(), key=key, digest_size=16).hexdigest()


def _present(tx: Transaction) -> str:
    """Tells an id that is missing from one that reads "None"."""
    ids = (tx.card_id, tx.customer_id, tx.merchant_id, tx.device_id)
    return "".join("-" if value is None else "+" for value in ids)
