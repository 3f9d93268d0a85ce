"""Values that files hold in forms with two meanings, or damaged."""

from pathlib import Path

import pytest

from commands.imports.mapping.binding import bind
from commands.imports.mapping.model import FieldMapping, FileMapping
from commands.imports.mapping.yaml_file import load_mapping
from domain.errors import InvalidInputError
from domain.events import TransactionImported
from domain.times import from_rfc3339, to_rfc3339
from operations.log.imports import ImportOptions, opened_import
from tests.builders.import_files import TOKENISE, Imported, run_import

NOW = from_rfc3339("2027-01-01T00:00:00Z")
HEADER = "transaction_id;timestamp;amount;card_id\n"


def of_amounts(folder: Path, *amounts: str, field: FieldMapping | None = None) -> Imported:
    path = folder / "amounts.csv"
    rows = [f"t{n};2024-01-01T00:00:00Z;{amount};c" for n, amount in enumerate(amounts)]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return run_import(path, of=FileMapping(fields={"amount": field} if field else {}))


def minor(done: Imported) -> list[int]:
    return [event.data.transaction.amount for event in done.of(TransactionImported)]


def test_a_decimal_sign_is_proven_from_the_whole_column(tmp_path: Path) -> None:
    assert minor(of_amounts(tmp_path, "1.000", "7", "12,50")) == [100000, 700, 1250]
    assert minor(of_amounts(tmp_path, "1.000", "7", "12.50")) == [100, 700, 1250]
    assert minor(of_amounts(tmp_path, "1,234", "12.50")) == [123400, 1250]
    assert minor(of_amounts(tmp_path, "1,234", "12,345,678")) == [123400, 1234567800]


def test_where_a_column_proves_nothing_an_ambiguous_amount_is_refused(tmp_path: Path) -> None:
    for others in ([], ["7", "2.345"], ["12,50", "12.50"]):
        done = of_amounts(tmp_path, "1.000", *others)
        assert done.rejects[0].line == 2
        assert "ambiguous" in done.rejects[0].reason
        assert done.summary.rows == done.summary.accepted + done.summary.rejected


def test_a_stated_decimal_sign_counts_and_what_does_not_fit_it_is_refused(tmp_path: Path) -> None:
    comma = FieldMapping(column="amount", decimal=",")
    done = of_amounts(tmp_path, "1.000", "1.234,5", "12.50", "1 234,50", field=comma)
    assert minor(done) == [100000, 123450, 123450]
    assert [reject.line for reject in done.rejects] == [4]


@pytest.mark.parametrize(
    "text", ["-57.20", "(57.20)", "57.20-", "$-57.20", "-$57.20", "\u221257.20"]
)
def test_o32_an_amount_below_zero_is_a_refund(tmp_path: Path, text: str) -> None:
    done = of_amounts(tmp_path, text, "($57.20)")
    assert minor(done) == []
    assert all("refund" in reject.reason for reject in done.rejects)


def of_times(folder: Path, *times: str, field: FieldMapping | None = None) -> Imported:
    path = folder / "times.csv"
    rows = [f"t{n};{time};5;c" for n, time in enumerate(times)]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return run_import(path, of=FileMapping(fields={"timestamp": field} if field else {}), now=NOW)


def moments(done: Imported) -> list[str]:
    return [to_rfc3339(event.time) for event in done.of(TransactionImported)]


def test_o20_local_times_need_a_zone_and_slashes_an_order(tmp_path: Path) -> None:
    doubled = "2026-10-25 02:30"
    berlin = FieldMapping(column="timestamp", zone="Europe/Berlin")
    done = of_times(tmp_path, "2026-03-29 02:30", doubled, doubled, field=berlin)
    assert moments(done) == ["2026-10-25T00:30:00Z"] * 2
    assert done.summary.notes == {"timestamps of a doubled hour, read as the earlier": 2}
    assert "does not exist in Europe/Berlin" in done.rejects[0].reason
    plain = of_times(tmp_path, doubled, "2026-10-25T02:30:00Z", "03/04/2026 10:00")
    assert plain.summary.notes == {"times without an offset, read as UTC": 1}
    assert [reject.field for reject in plain.rejects] == ["timestamp"]
    stated = FieldMapping(column="timestamp", order="dmy")
    assert moments(of_times(tmp_path, "03/04/2026 10:00", field=stated)) == ["2026-04-03T10:00:00Z"]


def of_cards(folder: Path, *cards: str) -> Imported:
    path = folder / "cards.csv"
    rows = [f"t{n};2024-01-01T00:00:00Z;5;{card}" for n, card in enumerate(cards)]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return run_import(path)


def test_o21_ids_that_a_spreadsheet_damaged_are_refused(tmp_path: Path) -> None:
    tails = ["4111111111111110", "5500000000000000", "4012888888881880"]
    for cards in (["4.11111E+15"] * 3, ["4,11111E+15"], tails, ["4111110000000000"]):
        done = of_cards(tmp_path, *cards)
        assert done.summary.accepted == 0
        assert all("damaged" in reject.reason for reject in done.rejects)
        assert {reject.field for reject in done.rejects} == {"card_id"}
    whole = of_cards(tmp_path, "4111111111111110", "1234567890123456", "c", "12E34")
    assert whole.summary.accepted == 4


def test_o21_parts_of_an_id_are_read_as_ids(tmp_path: Path) -> None:
    mapping = FileMapping(fields={"card_id": FieldMapping(columns=("holder", "card_id"))})
    tails = ["5123456789012340", "5198765432109870", "5111222233334440"]
    for cards in (["5,12E+15", "5.12E+15"], tails):
        path = tmp_path / "parts.csv"
        rows = [f"t{n};2024-01-01T00:00:00Z;1;{card};7" for n, card in enumerate(cards)]
        path.write_text(HEADER.strip() + ";holder\n" + "\n".join(rows) + "\n")
        done = run_import(path, of=mapping)
        assert [reject.field for reject in done.rejects] == ["card_id"] * len(cards)
        assert all("damaged" in reject.reason for reject in done.rejects)


def test_o15_a_card_number_within_an_id_becomes_a_token(tmp_path: Path) -> None:
    mapping = FileMapping(fields={"card_id": FieldMapping(columns=("card_id", "expiry"))})
    path = tmp_path / "expiry.csv"
    rows = ["t1;2024-01-01T00:00:00Z;1;5555555555554444;12/27", "t2;2024-01-01T00:00:00Z;1;77;1"]
    path.write_text(HEADER.strip() + ";expiry\n" + "\n".join(rows) + "\n")
    done = run_import(path, of=mapping)
    first, second = (each.data.transaction.card_id for each in done.of(TransactionImported))
    assert first == f"{TOKENISE('5555555555554444').token}/12/27"
    assert second == "77/1"
    assert "5555555" not in repr(done.log.appended)


def test_o17_labels_without_a_meaning_stop_before_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    rows = "".join(f"t{n},2024-01-01T00:00:00Z,5,{n % 3 or 'unknown'}\n" for n in range(9))
    path.write_text("transaction_id,timestamp,amount,class\n" + rows)
    with (
        pytest.raises(InvalidInputError) as caught,
        opened_import(ImportOptions(file=path, label="class")),
    ):
        pass
    told = caught.value.message
    assert caught.value.field == "--label"
    assert [line.split()[:2] for line in told.splitlines()[1:]] == [
        ["3", "unknown"], ["3", "1"], ["3", "2"],
    ]  # fmt: skip
    assert told.count("<- no meaning") == 2


def test_o18_columns_of_one_name_are_addressed_by_order() -> None:
    row = {
        "Timestamp": "2022/09/01 00:20", "From Bank": "010", "Account": "8000EBD30",
        "To Bank": "010", "Account.1": "8000EBD30", "Amount Received": "3697.34",
        "Receiving Currency": "US Dollar", "Amount Paid": "3697.34",
        "Payment Currency": "US Dollar", "Payment Format": "Reinvestment", "Is Laundering": "0",
    }  # fmt: skip
    binding = bind(list(row), load_mapping("ibm-aml"))
    found = binding.payload(row, 2)
    assert found["currency"] == "USD"
    assert found["customer_id"] == found["merchant_id"] == "010/8000EBD30"
    assert str(found["timestamp"]) == "2022-09-01 00:20:00"
