"""Mappings as YAML: what is wrong is named with file and key; what ships can be read."""

from pathlib import Path

import pytest

from commands.imports.mapping.model import Counter, FieldMapping, FileMapping, LabelMapping
from commands.imports.mapping.yaml_file import (
    load_mapping,
    mapping_text,
    parse_mapping,
    shipped_names,
    shipped_text,
)
from domain.errors import InvalidInputError

WHOLE = FileMapping(
    description="all of it",
    fields={
        "transaction_id": FieldMapping(row=True),
        "timestamp": FieldMapping(column="step", counter=Counter("hour", "2024-01-01T00:00:00Z")),
        "amount": FieldMapping(column="Amount", decimal=",", round=True),
        "card_id": FieldMapping(columns=("User", "Card"), join="-"),
        "country": FieldMapping(constant="NO"),
        "channel": FieldMapping(column="type", values={"No": "pos", "*": "other"}),
    },
    label=LabelMapping("Is Fraud?", {"Yes": "fraud", "No": "genuine", "-1": ""}),
    ignore=("balance",),
    quotes="'",
)


def test_a_mapping_survives_the_way_to_yaml_and_back() -> None:
    assert parse_mapping(mapping_text(WHOLE), "f") == WHOLE


def test_words_of_yaml_stay_the_text_that_was_written() -> None:
    made = parse_mapping("fields:\n  country: {column: C, values: {NO: NO, 1.0: SE}}", "f")
    assert made.fields["country"].values == {"NO": "NO", "1.0": "SE"}
    assert parse_mapping("fields: {card_id: 7}", "f").fields["card_id"].column == "7"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "f: line 1: is not YAML"),
        ("fields: {amount: A, amount: B}", "f: line 1: is not YAML: the key 'amount' is given twi"),
        ("[1]", "expected keys such as fields"),
        ("fields: [a]", "f: fields: expected one entry"),
        ("field: {}", "unknown field `field`"),
        ("fields: {card: X}", "f: fields.card: is not a field; possible are transaction_id"),
        ("fields: {amount: {colum: X}}", "f: fields.amount: .*unknown field `colum`"),
        ("fields: {amount: {column: X, decimal: ';'}}", "f: fields.amount.decimal: Invalid"),
        ("fields: {amount: {}}", "f: fields.amount: needs exactly one of column, columns"),
        ("fields: {amount: {column: A, constant: 1}}", "not column and constant"),
        ("fields: {amount: {column: A, zone: UTC}}", "f: fields.amount: zone is for timestamp"),
        ("fields: {card_id: {column: A, round: true}}", "round is for amount"),
        ("fields: {card_id: {row: true}}", "row is for transaction_id"),
        ("fields: {amount: {column: A, values: {a: b}}}", "values is not for amount"),
        ("fields: {card_id: {column: A, join: x}}", "join is for columns"),
        ("fields: {timestamp: {column: A, zone: Mars/Olympus}}", "zone: 'Mars/Olympus' is no time"),
        ("fields: {timestamp: {column: A, order: dmy, format: '%d'}}", "order and format"),
        ("fields: {timestamp: {column: A, format: '%Q'}}", "f: fields.timestamp: format:"),
        ("fields: {timestamp: {column: A, counter: {unit: hour, start: x}}}", "counter.start: exp"),
        ("fields: {timestamp: {column: A, counter: {unit: eon, start: x}}}", "counter.unit: Inv"),
        ("fields: {amount: A}\nlabel: {column: A}", "label: the column 'A' is mapped to a field"),
        ("fields: {amount: A}\nignore: [A]", "ignore: the column 'A' is mapped as well"),
        ("label: {column: A, values: {1: maybe}}", "f: label.values.*Invalid enum value 'maybe'"),
        ("quotes: ab", "quotes: expected one sign"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as caught:
        parse_mapping(text, "f")
    assert caught.value.field == "--mapping"
    assert caught.value.message.startswith("f: ")


def test_a_file_that_cannot_be_read_is_told_with_what_ships(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"No such file.*one of .*paysim"):
        load_mapping(str(tmp_path / "none.yaml"))
    (tmp_path / "wide.yaml").write_bytes("fields: {}".encode("utf-16"))
    with pytest.raises(InvalidInputError, match="is not UTF-8"):
        load_mapping(str(tmp_path / "wide.yaml"))


def test_a_shipped_mapping_is_found_by_its_name_and_a_file_counts_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_mapping("paysim") == parse_mapping(shipped_text("paysim"), "paysim")
    monkeypatch.chdir(tmp_path)
    Path("paysim").write_text("fields: {amount: other}")
    assert load_mapping("paysim").fields["amount"].column == "other"
    with pytest.raises(InvalidInputError, match="no mapping 'none' ships: baf, banksim"):
        shipped_text("none")


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_mapping_is_read_and_describes_itself(name: str) -> None:
    made = load_mapping(name)
    assert made.description
    assert {"transaction_id", "timestamp", "amount"} <= set(made.fields)
    assert parse_mapping(mapping_text(made), name) == made
