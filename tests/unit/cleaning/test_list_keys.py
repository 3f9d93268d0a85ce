"""Entries of lists are written as the fields of transactions are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.intake.cleaner import PayloadCleaner
from commands.intake.tokens import Tokeniser
from domain.cleaning.list_keys import list_keys
from domain.cleaning.unclean import UncleanError
from domain.money import approximate_rates

TOKENISE = Tokeniser(b"a key of 16 bytes")
CLEANER = PayloadCleaner(TOKENISE, b"d", approximate_rates(), "EUR")
NOW = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("of", "field", "written"),
    [
        ("card", "card_id", "4111 1111 1111 1111"),
        ("card", "card_id", "4111111111111111"),
        ("card", "card_id", " c-1 "),
        ("customer", "customer_id", "4111111111111111"),
        ("customer", "customer_id", "17.0"),
        ("merchant", "merchant_id", "'m-1'"),
        ("device", "device_id", "d 1"),
        ("country", "country", "deu"),
    ],
)
def test_an_entry_is_cleaned_and_tokenised_as_the_field_is(
    of: str, field: str, written: str
) -> None:
    payload = {"transaction_id": "t", "amount": 1, "timestamp": NOW, field: written}
    assert list_keys(of, written, TOKENISE) == [getattr(CLEANER.clean(payload, NOW), field)]
    assert "1111" not in list_keys(of, written, TOKENISE)[0]


@pytest.mark.parametrize(
    ("of", "written", "texts"),
    [
        ("ip", "192.0.2.7", ["192.0.2.7/32"]),
        ("ip", "::ffff:192.0.2.7", ["192.0.2.7/32"]),
        ("ip", "2001:DB8::/32", ["2001:db8::/32"]),
        ("bin", "400012", ["400012"]),
        ("bin", "400000-409999", ["40"]),
        ("bin", "399999 - 400010", ["399999", "40000", "400010"]),
        ("email_domain", "@Example.ORG", ["example.org"]),
        ("name", " Ivan  Petrov", ["Ivan  Petrov"]),
    ],
)
def test_networks_ranges_domains_and_names(of: str, written: str, texts: list[str]) -> None:
    assert list_keys(of, written, TOKENISE) == texts


@pytest.mark.parametrize(
    ("of", "written"),
    [
        *(("ip", "10.0.0.1/8"), ("ip", "host"), ("bin", "41x"), ("bin", "42-41"), ("bin", "4-41")),
        *(("bin", "40000000"), ("country", "XX"), ("email_domain", "example"), ("name", "--")),
        *(("card", " "), ("ip", "")),
    ],
)
def test_what_no_transaction_could_match_is_refused(of: str, written: str) -> None:
    with pytest.raises(UncleanError):
        list_keys(of, written, TOKENISE)


@given(st.integers(0, 9999), st.integers(0, 9999), st.integers(0, 9999))
def test_a_range_of_bins_holds_what_lies_within_it(a: int, b: int, sought: int) -> None:
    first, last = sorted((a, b))
    prefixes = list_keys("bin", f"{first:04}-{last:04}", TOKENISE)
    hits = [each for each in prefixes if f"{sought:04}".startswith(each)]
    assert len(hits) == (first <= sought <= last)
