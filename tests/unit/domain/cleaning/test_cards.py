"""Card numbers are found and replaced by tokens, in text, JSON and ids."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.intake.tokens import Tokeniser
from domain.cleaning.cards import card_number, redact, tokenise_text
from domain.errors import SettingsError
from tests.unit.domain.cleaning.payloads import (
    CARD,
    MINIMAL,
    TOKENISE,
    as_text,
    cleaned,
    json_values,
    written_cards,
)

TOKEN = TOKENISE(CARD).token


def bare(text: str) -> str:
    return "".join(str(int(char)) for char in text if char.isdecimal())


@given(written_cards, st.sampled_from(["card_id", "note", "attributes"]), st.data())
def test_no_card_number_survives(card: tuple[str, str], where: str, data: st.DataObject) -> None:
    digits, written = card
    before, after = data.draw(
        st.tuples(st.text("ab :/=", max_size=5), st.text("ab :/=", max_size=5))
    )
    # A double holds no more than 16 digits: what it makes of longer numbers is none.
    double = float(digits) if len(digits) < 16 else None
    inside: dict[str, Any] = {
        "card_id": written,
        "note": [{"deep": before + written + after, written: [int(digits), double]}],
        "attributes": {"text": before + written + after, "number": int(digits)},
    }
    payload = {**MINIMAL, where: inside[where]}
    raw = json.dumps(payload, ensure_ascii=data.draw(st.booleans()))
    assert digits not in bare(as_text(cleaned(payload)))
    hidden = redact(raw, TOKENISE)
    json.loads(hidden)
    assert digits not in bare(hidden)


@given(written_cards)
def test_a_payload_without_card_numbers_cleans_to_the_same_tokens(card: tuple[str, str]) -> None:
    payload = {**MINIMAL, "card_id": card[1], "note": card[1]}
    first = cleaned(payload)
    again = cleaned(json.loads(redact(json.dumps(payload), TOKENISE)))
    assert (again.card_id, again.attributes) == (first.card_id, first.attributes)


def test_a_number_between_other_numbers_is_found() -> None:
    text = f"on 2024-05-31 {CARD} 17, {CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:]}."
    assert tokenise_text(text, TOKENISE) == f"on 2024-05-31 {TOKEN} 17, {TOKEN}."


def test_json_stays_json_with_its_layout() -> None:
    raw = '{ "card_id": 4111111111111111,\n "x": "4111 1111 1111 1111", "lat": 52.4111111111111111}'
    assert redact(raw, TOKENISE) == (
        f'{{ "card_id": "{TOKEN}",\n "x": "{TOKEN}", "lat": 52.4111111111111111}}'
    )


def test_digits_written_as_escapes_are_digits() -> None:
    raw = '{"card_id": "\\u0034111111111111111"}'
    assert json.loads(redact(raw, TOKENISE)) == {"card_id": TOKEN}
    assert CARD[1:] not in redact(raw[:-1], TOKENISE)


@pytest.mark.parametrize(
    "number",
    ["-4111111111111111", "4111111111111111.0", "4.111111111111111E15", "41111111111111110e-1"],
)
def test_a_number_in_any_notation_becomes_a_token(number: str) -> None:
    raw = f'{{"x": {number}, "y": 1e999999999, "z": 1e99999999999999999999}}'
    assert json.loads(redact(raw, TOKENISE))["x"] == TOKEN


@given(st.text() | json_values.map(json.dumps))
def test_any_text_can_be_redacted_and_once_is_enough(raw: str) -> None:
    once = redact(raw, TOKENISE)
    assert redact(once, TOKENISE) == once


def test_what_only_looks_like_json_is_text() -> None:
    assert redact('{card: 4111 1111 1111 1111, "x', TOKENISE) == f'{{card: {TOKEN}, "x'


def test_an_id_of_the_sender_is_kept_where_it_is_named() -> None:
    raw = f'{{"transaction_id": {CARD}}}'
    assert redact(raw, TOKENISE, keep=[CARD]) == raw


@pytest.mark.parametrize("text", ["4111111111111112", "41111111111", "4" * 20, "abc"])
def test_what_fails_the_check_is_an_opaque_id(text: str) -> None:
    assert card_number(text) is None
    assert cleaned({**MINIMAL, "card_id": text}).card_id == text


def test_a_customer_id_that_is_a_card_number_is_tokenised_and_a_device_number_is_not() -> None:
    found = cleaned({**MINIMAL, "customer_id": CARD, "device_id": "356938035643809"})
    assert found.customer_id == TOKEN
    assert found.device_id == "356938035643809"


def test_digits_of_other_scripts_are_the_same_card() -> None:
    arabic = "".join(chr(0x660 + int(digit)) for digit in CARD)
    assert cleaned({**MINIMAL, "card_id": arabic}).card_id == TOKEN


@given(written_cards)
def test_a_token_is_never_taken_for_a_card_number(card: tuple[str, str]) -> None:
    token = TOKENISE(card[0])
    assert tokenise_text(token.token, TOKENISE) == token.token
    assert (token.bin, token.last4) == (card[0][:6], card[0][-4:])


def test_tokens_depend_on_the_key_and_a_short_key_is_refused() -> None:
    assert Tokeniser(b"k" * 16)(CARD) != Tokeniser(b"l" * 16)(CARD)
    with pytest.raises(SettingsError):
        Tokeniser(b"short")


def test_a_lone_surrogate_beside_a_card_number_leaves_text_that_can_be_stored() -> None:
    raw = json.dumps({"\ud800": CARD, "note": "\ude00 and \U0001f4a5"})
    hidden = redact(raw, TOKENISE)
    assert json.loads(hidden.encode()) == {"\ufffd": TOKEN, "note": "\ufffd and \U0001f4a5"}
