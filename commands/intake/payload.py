"""Parsing of a received payload as a JSON object."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.cleaning.attributes import single_keys
from domain.errors import InvalidInputError


class MalformedPayloadError(InvalidInputError):
    """Not what JSON allows; nothing of it was taken."""


def parse_payload(received: bytes) -> tuple[Mapping[str, Any], str]:
    """The object and its text as received. Raises MalformedPayloadError.

    Numbers with a point become Decimal, so that amounts stay exact.
    """
    try:
        text = received.decode()
        value = json.loads(
            text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=single_keys
        )
    except UnicodeDecodeError as error:
        raise MalformedPayloadError("body", "is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise MalformedPayloadError("body", f"is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedPayloadError("body", "must be one JSON object")
    return value, text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
