"""A received payload is one JSON object with each key once."""

from decimal import Decimal

import pytest

from commands.intake.payload import MalformedPayloadError, parse_payload


def test_numbers_with_a_point_stay_exact() -> None:
    assert parse_payload(b'{"amount": 1.10, "n": 1}')[0] == {"amount": Decimal("1.10"), "n": 1}


@pytest.mark.parametrize(
    "text", ['{"amount": 1, "amount": 100}', '{"a": [{"b": {"amount": 1, "\\u0061mount": 1}}]}']
)
def test_a_key_that_an_object_names_twice_is_refused_by_name(text: str) -> None:
    with pytest.raises(MalformedPayloadError, match="names the key 'amount' twice"):
        parse_payload(text.encode())
