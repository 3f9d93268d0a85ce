"""Keyed digest of a submission: equal content under one id has an equal digest."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from domain.transactions import Transaction


def content_digest(transaction: Transaction, key: bytes) -> str:
    """32 hex digits over what was sent, attributes included; `key` has 1 to 64 bytes.

    What follows from it is left out: the base amount, which a better table of rates would change,
    and the parts of the card number, which its token stands for.
    """
    tx = transaction
    attributes = _attributes(tx.attributes)
    # Tells an id that is missing from one that reads "None".
    present = (
        f"{'-' if tx.card_id is None else '+'}{'-' if tx.customer_id is None else '+'}"
        f"{'-' if tx.merchant_id is None else '+'}{'-' if tx.device_id is None else '+'}"
    )
    # No cleaned value holds a line break, so that the joined text is read in one way only. What may
    # be None is turned to text by !s, four times as fast as without.
    content = (
        f"1\n{tx.transaction_id}\n{tx.timestamp}\n{tx.amount}\n{tx.currency}\n"
        f"{tx.card_id!s}\n{tx.customer_id!s}\n{tx.merchant_id!s}\n{tx.mcc!s}\n"
        f"{tx.device_id!s}\n{tx.ip!s}\n{tx.country!s}\n{tx.lat!r}\n{tx.lon!r}\n"
        f"{tx.channel!s}\n{present}\n{attributes}"
    )
    digest = _keyed(key).copy()
    digest.update(content.encode())
    return digest.hexdigest()


def content_digests(columns: Mapping[str, Sequence[Any]], key: bytes) -> list[str]:
    """As `content_digest` of each row, three times as fast; a column that is not there is None."""
    texts, parts = ["1"], []
    for name in _FIELDS:
        if name in columns:
            texts.append("%r" if name in ("lat", "lon") else "%s")
            parts.append(columns[name])
        else:
            texts.append(str(None))
    present = ""
    for name in _IDS:
        if name not in columns:
            present += "-"
        elif None not in columns[name]:
            present += "+"
        else:
            present += "%s"
            parts.append(["-" if each is None else "+" for each in columns[name]])
    texts.append(present)
    texts.append("%s" if "attributes" in columns else "")
    if "attributes" in columns:
        parts.append([_attributes(each) for each in columns["attributes"]])
    content, keyed, digests = "\n".join(texts), _keyed(key), []
    for row in zip(*parts, strict=True):
        digest = keyed.copy()
        digest.update((content % row).encode())
        digests.append(digest.hexdigest())
    return digests


_IDS = ("card_id", "customer_id", "merchant_id", "device_id")
_FIELDS = (
    "transaction_id", "timestamp", "amount", "currency", "card_id", "customer_id", "merchant_id",
    "mcc", "device_id", "ip", "country", "lat", "lon", "channel",
)  # fmt: skip


def _attributes(attributes: Mapping[str, Any]) -> str:
    return _encode(attributes) if attributes else ""


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> blake2b:
    return blake2b(key=key, digest_size=16)
