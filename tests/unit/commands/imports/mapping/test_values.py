"""Values under a mapping: columns put together, constants, lookups, ids of rows, quotes."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.imports.mapping.binding import bind
from commands.imports.mapping.model import FieldMapping, FileMapping
from domain.errors import InvalidTransactionError
from tests.unit.commands.imports.mapping.mapped_rows import BASE, ROW, read


def test_columns_are_put_together_and_an_absent_part_stays_absent() -> None:
    card = FieldMapping(columns=("u", "c"))
    texts = [read({"u": u, "c": c}, card_id=card)["card_id"] for u, c in (
        ("7", "0"), (7, 0), (7.0, Decimal("0")), ("7", None), (None, " "), (None, None)
    )]  # fmt: skip
    assert texts == ["7/0", "7/0", "7/0", "7", None, None]
    other = FieldMapping(columns=("u", "c"), join="-")
    assert read({"u": "7", "c": "0"}, card_id=other)["card_id"] == "7-0"


def test_a_constant_fills_every_row_and_used_columns_are_no_attributes() -> None:
    found = read({"u": "7", "c": "0"}, card_id=FieldMapping(columns=("u", "c")),
                 currency=FieldMapping(constant="EUR"))  # fmt: skip
    assert found["currency"] == "EUR"
    assert "attributes" not in found


def test_a_value_is_looked_up_and_what_is_not_listed_is_refused() -> None:
    listed = FieldMapping(column="k", values={"CASH OUT": "atm", "1": "pos", "none": ""})
    found = [
        read({"k": k}, channel=listed)["channel"] for k in (" CASH OUT ", 1, 1.0, "none", None)
    ]
    assert found == ["atm", "pos", "pos", None, None]
    with pytest.raises(InvalidTransactionError, match="channel: has 'new', which"):
        read({"k": "new"}, channel=listed)
    others = FieldMapping(column="k", values={"*": "other"})
    assert read({"k": "new"}, channel=others)["channel"] == "other"


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=5) | st.integers()), st.integers(1))
def test_an_id_of_a_row_follows_from_its_content_and_line(row: dict[str, Any], line: int) -> None:
    own = FieldMapping(row=True)
    row = {f"x{name}": value for name, value in row.items()}
    first, again = (read(row, line, transaction_id=own)["transaction_id"] for _ in range(2))
    assert first == again
    assert first != read(row, line + 1, transaction_id=own)["transaction_id"]
    assert first != read({**row, "a": "6"}, line, transaction_id=own)["transaction_id"]


def test_quotes_are_taken_off_every_value_in_pairs() -> None:
    found = read({"customer_id": "'C101'", "kind": "'es_x'", "odd": "it's", "no": "''"}, quotes="'")
    assert found["customer_id"] == "C101"
    assert found["attributes"] == {"kind": "es_x", "odd": "it's"}


def test_columns_to_ignore_reach_neither_fields_nor_attributes() -> None:
    mapping = FileMapping(fields=BASE, ignore=("balance", "card_id", "gone"))
    row = {**ROW, "balance": "9", "card_id": "k", "note": "n"}
    found = bind(list(row), mapping).payload(row)
    assert found["attributes"] == {"note": "n"}
    assert "card_id" not in found
