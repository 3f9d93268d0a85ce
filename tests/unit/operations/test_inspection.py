"""Inspection: a new user's file gets a mapping under which its rows are taken."""

from pathlib import Path

import pytest

from commands.imports.mapping.yaml_file import mapping_text, parse_mapping
from domain.cleaning.cards import redact
from domain.errors import InvalidInputError
from operations.log.inspection import Inspection, inspect_file
from tests.builders.import_files import NOW, TOKENISE, cleaner, rows_of, write_csv, write_ndjson


def inspected(path: Path) -> Inspection:
    return inspect_file(path, None, cleaner(), lambda text: redact(text, TOKENISE), NOW)


SHAPES = {
    "banksim": (
        "step,customer,age,gender,zipcodeOri,merchant,zipMerchant,category,amount,fraud\n"
        "0,'C101','4','M','28007','M201','28007','es_x',4.55,0\n"
    ),
    "paysim": (
        "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,"
        "newbalanceDest,isFraud,isFlaggedFraud\n"
        "1,CASH_OUT,181.00,C130,181.0,0.0,C389,21182.0,0.0,1,0\n"
    ),
    "creditcard": 'Time,V1,V2,Amount,"Class"\n0,-1.35,0.2,149.62,"0"\n',
    "handbook": (
        "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n"
        "1,2018-04-01 00:00:31,596,3156,57.16,0\n"
    ),
    "own": (
        "Transaction ID;Created At;Amount;Card Number;Merchant\n"
        "a1;2024-01-02 10:00:00;12,50;4111111111111111;m1\n"
        "a2;2024-01-02 11:00:00;13,75;4111111111111111;m2\n"
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_are_taken_under_the_proposed_mapping(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "data.txt"
    path.write_text(SHAPES[shape])
    found = inspected(path)
    assert [row.refused for row in found.taken] == [""] * found.rows
    assert parse_mapping(mapping_text(found.proposal.mapping), "x") == found.proposal.mapping


def test_what_a_file_does_not_tell_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("step,amt,x\n1,5.00,a\n2,5.00,b\n")
    missing = " ".join(inspected(path).proposal.missing)
    assert "the file tells neither start nor unit of 'step'" in missing
    assert "the file has no ids" in missing
    assert "no column tells who pays" in missing


def test_a_profile_shows_no_card_number(tmp_path: Path) -> None:
    rows = [{**row, "card_id": "4111111111111111"} for row in rows_of(4)]
    found = inspected(write_ndjson(tmp_path / "a.ndjson", rows))
    assert "4111" not in repr(found)
    assert '"tok_' not in repr(found.profiles)
    card = next(each for each in found.profiles if each.name == "card_id")
    assert (card.kind, card.missing, card.distinct) == ("integer", 0, 1)


def test_profiles_count_what_the_sample_holds(tmp_path: Path) -> None:
    rows = [{**row, "note": "" if at % 2 else "x"} for at, row in enumerate(rows_of(10))]
    profiles = {each.name: each for each in inspected(write_csv(tmp_path / "a.csv", rows)).profiles}
    amount, note = profiles["amount"], profiles["note"]
    assert (amount.kind, amount.least, amount.most, amount.unique) == (
        "number",
        "0.25",
        "9.25",
        True,
    )
    assert (note.kind, note.missing, note.distinct) == ("text", 5, 1)
    assert profiles["timestamp"].kind == "time"


def test_a_spreadsheet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    with pytest.raises(InvalidInputError, match="an Excel spreadsheet"):
        inspected(path)
