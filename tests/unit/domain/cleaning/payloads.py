"""Keys, rates, card numbers and any JSON, for the tests of cleaning."""

import json
from typing import Any

from hypothesis import strategies as st

from commands.intake.tokens import Tokeniser
from domain.cleaning.cards import is_card_number
from domain.cleaning.transaction import clean_transaction
from domain.money import Rates, approximate_rates
from domain.times import from_rfc3339
from domain.transactions import Transaction

NOW = from_rfc3339("2024-06-01T12:00:00Z")
CARD = "4111111111111111"
TOKENISE = Tokeniser(b"a key of tests, nothing else")
RATES: Rates = approximate_rates()
MINIMAL: dict[str, Any] = {
    "transaction_id": "t1",
    "timestamp": "2024-05-31T10:00:00Z",
    "amount": 12.5,
}


def cleaned(payload: Any, **changes: Any) -> Transaction:
    return clean_transaction(
        payload, **{"now": NOW, "tokenise": TOKENISE, "rates": RATES, **changes}
    )


def with_check_digit(body: str) -> str:
    return next(body + last for last in "0123456789" if is_card_number(body + last))


card_numbers = st.from_regex(r"[1-9][0-9]{10,17}", fullmatch=True).map(with_check_digit)


def grouped(digits: str, separator: str) -> str:
    return separator.join(digits[at : at + 4] for at in range(0, len(digits), 4))


written_cards = st.tuples(card_numbers, st.sampled_from(["", " ", "-", "\u00a0", "\u2011"])).map(
    lambda pair: (pair[0], grouped(*pair))
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | card_numbers
    | card_numbers.map(int)
    | st.sampled_from(
        ["", " ", "1e999999999", "-0", "NaN", "2024-05-31T10:00:00Z", "EUR", "\ud800"]
    )
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


def as_text(transaction: Transaction) -> str:
    """All that the event would hold, but for the id, which is the sender's own."""
    fields = {
        name: getattr(transaction, name)
        for name in Transaction.__dataclass_fields__
        if name not in ("transaction_id", "timestamp", "amount", "base_amount")
    }
    return json.dumps(fields, ensure_ascii=False)
