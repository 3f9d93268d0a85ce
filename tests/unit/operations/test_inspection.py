"""Inspection: a new user's file gets a mapping under which its rows are taken."""

from pathlib import Path

import pytest

from commands.imports.inspection.profile import profile_of
from commands.imports.inspection.proposal import shipped_proposal
from commands.imports.inspection.text import proposal_text
from commands.imports.mapping.yaml_file import (
    FILL_IN,
    load_mapping,
    mapping_text,
    parse_mapping,
    shipped_names,
    shipped_text,
)
from domain.cleaning.cards import redact
from domain.errors import InvalidInputError
from domain.events import TransactionImported
from domain.times import to_rfc3339
from operations.log.imports import ImportOptions, opened_import
from operations.log.inspection import Inspection, inspect_file
from tests.builders.import_files import (
    NOW,
    TOKENISE,
    cleaner,
    rows_of,
    run_import,
    write_csv,
    write_ndjson,
)


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
    found = inspected(path)
    missing = " ".join(found.proposal.missing)
    assert "'step' counts up to 2" in asked(found)["fields.timestamp"]
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


UNREAD = {
    '{"status": "ok", "payments": [{"id": 1}]}': "one object with its rows in the list 'payments'",
    '{"payments":[{"id":1,"note":"' + "x" * (1 << 20) + '"}]}': "rows in the list 'payments'",
    "[]": "holds no rows",
    "{'id': 1}\n": "holds no row that can be read: line 1 is not JSON",
}


@pytest.mark.parametrize("text", UNREAD, ids=range(len(UNREAD)))
def test_a_file_without_rows_says_why(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=UNREAD[text]):
        inspected(path)
    with (
        pytest.raises(InvalidInputError, match=UNREAD[text]),
        opened_import(ImportOptions(file=path)),
    ):
        pass


def filled(text: str, *answers: str) -> str:
    """The proposed file with its answers, in the order of the questions."""
    for answer in answers:
        assert FILL_IN in text
        before, _, after = text.partition(f": {FILL_IN}\n")
        text = f"{before}: {answer}\n{after}"
    return text


def asked(found: Inspection) -> dict[str, str]:
    return {".".join(each.path): each.reason for each in found.proposal.questions}


OWN = "Ref;Booked;Betrag;Card;class\n"


def own_file(folder: Path, day: str, amount: str, labels: str = "12u") -> Path:
    rows = [f"r{n};{day} 10:{n:02};{amount};c{n % 7};{labels[n % 3]}\n" for n in range(60)]
    path = folder / "own.csv"
    path.write_text(OWN + "".join(rows))
    return path


def test_what_is_ambiguous_is_a_line_to_fill_in_with_its_reason(tmp_path: Path) -> None:
    path = own_file(tmp_path, "03/04/2024", "1.234")
    found = inspected(path)
    questions = asked(found)
    assert list(questions) == ["label", "fields.timestamp.order", "fields.amount.decimal"]
    assert (
        "'03/04/2024 10:00' has its day (dmy) or month (mdy) first"
        in (questions["fields.timestamp.order"])
    )
    assert "which value is fraud" in questions["label"]
    text = proposal_text(found.proposal)
    for reason in questions.values():
        assert reason.split()[0] in text
    with pytest.raises(InvalidInputError, match=r"own\.yaml: fields\.timestamp\.order: still says"):
        parse_mapping(text, "own.yaml")
    labels = ["fraud", "genuine", "''"]
    mapping = parse_mapping(filled(text, "dmy", "','", *labels), "own.yaml")
    done = run_import(path, of=mapping)
    assert (done.summary.accepted, done.summary.labels, done.summary.labels_fraud) == (60, 40, 20)
    first = done.of(TransactionImported)[0].data.transaction
    assert (first.amount, first.transaction_id, first.card_id) == (123400, "r0", "c0")
    assert to_rfc3339(first.timestamp) == "2024-04-03T10:00:00Z"


@pytest.mark.parametrize(
    ("day", "order"),
    [("31/01/2024", "dmy"), ("01/31/2024", "mdy"), ("31.01.2024", "dmy"), ("2024.01.31", "ymd")],
)
def test_an_order_that_the_dates_prove_is_stated(tmp_path: Path, day: str, order: str) -> None:
    found = inspected(own_file(tmp_path, day, "12,50", "010"))
    assert asked(found) == {}
    time, amount = (found.proposal.mapping.fields[name] for name in ("timestamp", "amount"))
    assert (time.order, amount.decimal) == (order, ",")
    assert [row.refused for row in found.taken] == [""] * 5
    assert parse_mapping(proposal_text(found.proposal), "x") == found.proposal.mapping
    assert any("read as UTC" in each for each in found.proposal.missing)


def test_dates_that_contradict_and_short_years_are_questions(tmp_path: Path) -> None:
    path = own_file(tmp_path, "31/01/2024", "5.00")
    path.write_text(path.read_text() + "r99;01/31/2024 10:00;5.00;c;1\n")
    assert "has its day first" in asked(inspected(path))["fields.timestamp.order"]
    short = asked(inspected(own_file(tmp_path, "31/01/24", "5.00")))
    assert "year of two digits" in short["fields.timestamp.format"]


def test_currencies_and_channels_by_other_words_are_looked_up(tmp_path: Path) -> None:
    rows = [
        {**row, "currency": "US Dollar" if n % 2 else "EUR", "channel": "till"}
        for n, row in enumerate(rows_of(20))
    ]
    found = inspected(write_csv(tmp_path / "a.csv", rows))
    (currency, channel) = (question.value["values"] for question in found.proposal.questions)
    assert currency == {"EUR": "EUR", "US Dollar": FILL_IN}
    assert not any("names the currency" in each for each in found.proposal.missing)
    assert channel == {"till": FILL_IN}


def test_a_date_and_its_time_of_day_in_two_columns_are_put_together(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,day,Transaction Time,amount\n" + "".join(
        f"{n},2024-03-{n % 28 + 1:02},10:{n:02},5.0{n % 10}\n" for n in range(60)
    ))  # fmt: skip
    found = inspected(path)
    assert found.proposal.mapping.fields["timestamp"].columns == ("day", "Transaction Time")
    assert [row.refused for row in found.taken] == [""] * 5


def test_an_object_is_no_card(tmp_path: Path) -> None:
    rows = rows_of(5)
    for row in rows:
        row["card"] = {"number": row.pop("card_id")}
    found = inspected(write_ndjson(tmp_path / "a.ndjson", rows))
    assert "card_id" not in found.proposal.mapping.fields
    assert [row.refused for row in found.taken] == [""] * 5


def test_numbers_of_rows_are_no_ids_of_payments(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("number,timestamp,amount\n" + "".join(
        f"{n},2024-03-01T10:{n:02}:00Z,5.0{n % 10}\n" for n in range(60)
    ))  # fmt: skip
    assert inspected(path).proposal.mapping.fields["transaction_id"].row


def test_labels_that_are_mostly_fraud_are_told(tmp_path: Path) -> None:
    rows = [{**row, "fraud": int(n % 5 > 0)} for n, row in enumerate(rows_of(20))]
    missing = inspected(write_csv(tmp_path / "a.csv", rows)).proposal.missing
    assert any("mean the opposite" in each for each in missing)


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_mapping_is_written_with_its_comments(name: str) -> None:
    mapping = load_mapping(name)
    columns = dict.fromkeys(c for field in mapping.fields.values() for c in field.sources)
    if mapping.label:
        columns[mapping.label.column] = None
    profiles = [profile_of(column, ["1"], str) for column in columns]
    found = shipped_proposal(profiles, {name: mapping}, lambda _: True, lambda _: ["1"])
    assert found is not None
    text = proposal_text(found)
    assert parse_mapping(text, "x") == mapping
    assert shipped_text(name) in text
