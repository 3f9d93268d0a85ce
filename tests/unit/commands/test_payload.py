"""A received payload is one JSON object with each key once."""

from decimal import Decimal

import pytest

from commands.imports.readers.json.lines import row_of
from commands.intake.payload import MalformedPayloadError, parse_payload


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1.10", 1.1), ("1e2", Decimal("1E+2")), ("4.11111E+15", Decimal("4.11111E+15")),
        ("1e-2", 0.01), ("9007199254740993.0", 2.0**53), ("1e400", float("inf")), ("-0", 0),
        ("18446744073709551617", 2**64 + 1),
    ],
)  # fmt: skip
def test_a_number_is_the_same_in_a_request_and_in_a_file(written: str, read: object) -> None:
    text = f'{{"n": {written}}}'.encode()
    for found in (parse_payload(text)[0], row_of(text)):
        assert found == {"n": read}
        assert isinstance(found["n"], type(read))


def test_a_file_holds_what_a_request_may_hold() -> None:
    for text in (rb'{"a": "\ud800"}', b'{"a": ' + b"9" * 400 + b"}"):
        assert row_of(text) == parse_payload(text)[0]


@pytest.mark.parametrize(
    "text", ['{"amount": 1, "amount": 100}', '{"a": [{"b": {"amount": 1, "\\u0061mount": 1}}]}']
)
def test_a_key_that_an_object_names_twice_is_refused_by_name(text: str) -> None:
    with pytest.raises(MalformedPayloadError, match="names the key 'amount' twice"):
        parse_payload(text.encode())


@pytest.mark.parametrize(
    ("received", "said"),
    [
        ('\ufeff{"amount": 1}', "begins with a byte order mark"),
        ('{"amount": ' + "9" * 5_000 + "}", "a number has too many digits"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_in_words_for_the_sender(received: str, said: str) -> None:
    with pytest.raises(MalformedPayloadError, match=said):
        parse_payload(received.encode())
